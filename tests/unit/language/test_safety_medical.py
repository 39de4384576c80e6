"""The clinic's own examples of red flags: each must be seen, and its harmless neighbours must not."""

from __future__ import annotations

import pytest

from care.adapters.language.safety_rules import SafetyRules
from care.model.assessment import MEDICAL, Context, Flag, Level, Medical

ALARMING = {Level.URGENT, Level.EMERGENCY, Level.CRISIS}
#: Flag (or flags, any of them; none for a sign without one), least level, treatment, day, and what members type.
FIRES: tuple[tuple[str, Medical, str | None, int | None, str], ...] = (
    (
        "bleeding",
        Medical.L1,
        "wisdom",
        0,
        "血止不住 / 咬了大半个钟头纱布还在流 / 一吐一口红的 / 满嘴都是血 / 枕头上老大一片 / 换了四五块纱布了还红 / 血块一坨一坨的 / 流雪停不下来 / 血还没停过 / 仲流紧血停唔到 / 哗哗地淌 / 没啥大事就是垃圾桶里全是红的 / 半夜醒来一嘴血 / 血沫子一直冒 / 血流得我腿软",
    ),
    (
        "fever",
        Medical.L2,
        "wisdom",
        2,
        "烧到38度5 / 38.6 / 三十八度多 / 浑身滚烫 / 一阵冷一阵热打摆子 / 一直打冷颤 / 烧没退 / 吃了药又烧起来 / 发骚了38.7 / 烧得迷糊 / 发紧烧 / 身上烧得慌骨头疼 / 体温计红了385 / 可能没事就是烧了一宿",
    ),
    (
        "swelling",
        Medical.L2,
        "wisdom",
        4,
        "比昨天更肿了 / 第四天还在长 / 眼睛都肿得睁不开 / 脖子也粗了 / 下巴底下鼓个硬疙瘩 / 半边脸像馒头 / 肿得发亮发硬 / 脸种变形了 / 消下去又鼓起来 / 舌头底下肿 / 面肿晒 / 腮帮子越来越大 / 摸着烫手 / 肿到耳根了 / 还行就是越来越大",
    ),
    (
        "trismus",
        Medical.L2,
        "wisdom",
        3,
        "嘴张不开 / 只能塞一根手指 / 牙刷都伸不进 / 勺子进不去 / 嘴像锁住了 / 越张越小 / 张嘴就疼一指都不到 / 嘴张不kai / 吸管才进得去 / 下巴卡死了 / 张嘴费老劲了 / 嘴巴打勿开 / 吃饭得往里挤",
    ),
    (
        "numbness",
        Medical.L2,
        "implant",
        2,
        "下嘴唇还是木的 / 没知觉 / 麻药咋还没退 / 掐都不疼 / 舌头一边麻 / 喝水漏出来都不晓得 / 下巴像贴了块胶布 / 针扎一样麻 / 尝不出味道 / 麻了两天了 / 木木的像不是自己的 / 麻咗成日 / 咬到嘴唇才发现 / 不疼就是没感觉",
    ),
    (
        "breathing|swallowing",
        Medical.L0,
        None,
        None,
        "喘不上气 / 呼吸困难 / 吸气费劲 / 嗓子堵住了 / 口水都咽不下去 / 一直往外流口水 / 喉咙越来越紧 / 说话像含了个蛋 / 舌头顶上来了 / 一躺下就憋醒 / 透唔到气 / 出不来气儿 / 憋得慌嘴唇发紫 / 喉咙要封住了 / 有点咽不下东西也没别的",
    ),
    (
        "dry_socket",
        Medical.L2,
        "wisdom",
        3,
        "第三天反而更疼了 / 一跳一跳往耳朵窜 / 太阳穴跟着疼 / 嘴里一股臭味 / 有怪味 / 那个洞空空的能看见白骨头 / 血块好像掉了 / 止疼药一点用没有 / 本来好了又疼起来 / 半夜疼醒牵着半个头 / 痛惨了遭不住 / 老疼了邪乎 / 痛煞脱了 / 疼嘞慌睡不成 / 就疼一点点但是比昨天多",
    ),
    (
        "severe_pain",
        Medical.L2,
        "wisdom",
        3,
        "疼得睡不着 / 疼得想撞墙 / 疼死了 / 药不顶事 / 疼哭了 / 疼得直冒汗 / 满地打滚 / 疼得头都炸了 / 好痛啊顶唔顺 / 痛到吐 / 疼了两宿没合眼 / 咬一下跟触电似的",
    ),
    (
        "implant_loose",
        Medical.L2,
        "implant",
        30,
        "种的牙晃 / 螺丝松了 / 那个帽帽掉了 / 愈合帽吐出来了 / 钉子在动 / 一舔就动 / 咬东西晃悠 / 种值牙松了 / 掉了个小铁片 / 牙冠会转 / 露出金属了 / 种的那颗松咗 / 好像有一点点活动不碍事",
    ),
    (
        "allergy",
        Medical.L1,
        "wisdom",
        1,
        "起疹子了 / 一身红疙瘩 / 浑身痒 / 嘴唇肿成香肠 / 眼皮肿了喘 / 吃完药起风团 / 皮肤一片片红 / 痒得抓破了 / 喉咙痒紧 / 吃了头晕心慌 / 脸又红又烫全是包 / 出风疹块 / 过敏了吧应该",
    ),
    (
        "infection_pus",
        Medical.L2,
        None,
        None,
        "流脓了 / 有黄水 / 牙龈鼓个包 / 挤出白的 / 一股腐臭 / 伤口化脓 / 臭得自己都受不了 / 牙花子上冒泡 / 缝线那里流黄汤 / 有点脓不多",
    ),
    (
        "faint|chest_pain",
        Medical.L0,
        None,
        None,
        "晕倒了 / 眼前一黑 / 站不住 / 胸口压着疼 / 心跳得要蹦出来 / 半边身子没劲 / 嘴歪了说不清话 / 抽了 / 冒冷汗脸煞白 / 意识不太清楚",
    ),
    (
        "",
        Medical.L1,
        None,
        None,
        "吐得水都喝不进",
    ),
    (
        "swallowed_part",
        Medical.L1,
        "ortho",
        5,
        "把牙套吞了 / 咽下去一个小铁片 / 托槽不见了好像吃了 / 呛进去了 / 卡在喉咙 / 小螺丝吞肚里了 / 吃饭把牙冠咽了 / 吸进去了喘 / 找不着了是不是在肚子里",
    ),
    (
        "wire_injury",
        Medical.L3,
        "ortho",
        5,
        "钢丝扎嘴 / 戳破了 / 铁丝跑出来 / 刮得全是血口 / 托槽掉了 / 溃疡一大片 / 扎得张不开嘴 / 弓丝弹出来 / 腮帮子戳个洞",
    ),
    (
        "chemical_burn",
        Medical.L2,
        "whitening",
        0,
        "牙龈白了一片 / 火辣辣的 / 嘴唇烧掉皮 / 牙肉烧坏了 / 像被开水烫了 / 牙龈起白皮 / 药水漏到肉上了 / 嘴角烂了一块 / 舌头边烧得慌 / 辣到睡不着 / 牙肉烧到白晒",
    ),
    (
        "sinus",
        Medical.L2,
        "implant",
        2,
        "鼻子流血 / 喝水从鼻子出来 / 擤鼻涕漏风 / 一侧鼻子臭 / 种完上面鼻子堵还流黄水 / 鼓腮帮子漏气 / 低头半边脸胀疼 / 打喷嚏牙洞里冒泡 / 鼻涕带血丝 / 吸管吸不上气从鼻子走 / 鼻窦那块闷疼",
    ),
    (
        "medication_error",
        Medical.L1,
        "wisdom",
        2,
        "多吃了一倍 / 记错了一天吃了三顿的量 / 小孩把我的药吃了 / 布洛芬一下吃了六片 / 吃了头孢喝了酒 / 忘了又补了两次 / 孕妇能吃吗我已经吃了 / 吃错药了 / 药和降压药一起吃的 / 吃完心慌恶心 / 整板都吃了",
    ),
)
#: The rule sees the danger, under a neighbouring flag.
OTHER_FLAG = {
    *("痛惨了遭不住", "老疼了邪乎", "痛煞脱了", "疼嘞慌睡不成", "托槽掉了", "扎得张不开嘴", "刮得全是血口"),
    *("吃了头晕心慌", "吃完心慌恶心", "止疼药一点用没有"),
}
QUIET = [
    "没出血了",
    "昨天流血今天好了",
    "血止住了",
    "口水一点粉色",
    "刷牙有血丝",
    "会不会大出血啊",
    "我妈拔牙那次流了好多",
    "这次种牙大出血，钱包空了",
    "不流了谢谢",
    "没有发烧",
    "36.8",
    "烧退了",
    "前天烧过今天正常",
    "37.1",
    "不热",
    "敷得脸发烫",
    "我娃发烧了",
    "要是发烧怎么办",
    "摄影发烧友",
    "肿消了",
    "没昨天肿了",
    "一点没肿",
    "怕会肿",
    "不怎么肿",
    "眼睛哭肿了",
    "打肿脸充胖子",
    "肿么办呀",
    "能张开了",
    "张嘴没问题",
    "张大一点才酸",
    "惊得嘴都合不拢",
    "会不会张不开",
    "麻药退了",
    "不麻了",
    "昨天麻今天好了",
    "麻烦您了",
    "麻辣烫",
    "肉麻",
    "会不会一直麻",
    "鼻塞不通气",
    "气死我了",
    "忙得喘不过气",
    "让我喘口气",
    "咽东西有点疼能喝水",
    "爬楼喘",
    "压力大得透不过气",
    "比昨天轻了",
    "不怎么疼了",
    "口气有点重但不疼",
    "网上说第三天最疼是吗",
    "不疼了",
    "就疼那一下",
    "想想都疼",
    "心疼钱",
    "肉疼",
    "疼死了哈哈已经好了",
    "头疼这个排班",
    "没松",
    "临时牙是活动的",
    "晃了一下神",
    "隔壁老牙一直有点晃",
    "会不会松",
    "我对花粉过敏",
    "没过敏",
    "对帅哥过敏",
    "心痒痒",
    "伤口白白一层不疼",
    "没有脓",
    "起痘痘了",
    "脓消了",
    "会化脓吗",
    "晕针",
    "看账单差点晕倒",
    "心动了",
    "累瘫了",
    "晕，又要排队",
    "掉在手里了",
    "吞口水",
    "囫囵吞枣",
    "掉桌上了",
    "有点磨用蜡粘住了",
    "不扎了",
    "扎心了",
    "钢丝球",
    "会不会扎到",
    "不辣了",
    "吃辣的了",
    "火辣辣的太阳",
    "牙变白了一片",
    "昨晚白今早好了",
    "鼻炎老毛病犯了没别的",
    "感冒鼻塞全家都有",
    "不漏气了",
    "看剧哭得鼻涕一把",
    "漏了一次",
    "没开药",
    "你是不是吃错药了",
    "能不能喝酒啊",
    "后悔药",
    "气死",
    "笑喷",
    "急得上火",
    "牙痒痒",
    "大出血（花钱）",
    "心在滴血",
    "发烧友",
    "脸红",
    "麻烦",
    "肿么了",
    "晃神",
]


@pytest.mark.parametrize(
    ("flag", "least", "treatment", "day", "text"),
    [
        (flag, least, treatment, day, text)
        for flag, least, treatment, day, texts in FIRES
        for text in texts.split(" / ")
    ],
)
def test_a_red_flag_is_seen_after_the_treatment(
    flag: str, least: Medical, treatment: str | None, day: int | None, text: str, rules: SafetyRules
) -> None:
    said = rules.assess(text, Context(treatment=treatment, day=day))

    assert MEDICAL.index(said.medical) >= MEDICAL.index(least)
    if flag and text not in OTHER_FLAG:
        assert {Flag(one) for one in flag.split("|")} & set(said.flags)


@pytest.mark.parametrize("text", QUIET)
def test_a_harmless_neighbour_raises_no_alarm(text: str, rules: SafetyRules) -> None:
    assert rules.assess(text).level not in ALARMING
