"""Who is spoken of beside the clinic's own people: relatives, names of members, and kinds of data about them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from care.adapters.language.entity_text import Found, PlainText, is_word

#: Relatives that mean a relative wherever they stand.
_PLAIN = (
    "爸妈 父母 老爷子 "
    "丈母娘 老丈人 外孙女 外孙 孙女 孙子 外婆 外公 姥姥 姥爷 爷爷 奶奶 岳父 岳母 公公 婆婆 妈妈 老妈 母亲  "
    "爸爸 老爸 父亲 老婆 老公 媳妇 妻子 丈夫 爱人 老伴 儿子 女儿 闺女 囡囡 宝宝 小孩子 小孩 孩子 娃儿  "
    "娃娃 侄子 侄女 外甥女 外甥 表哥 表姐 表弟 表妹 堂哥 堂姐 堂弟 堂妹 嫂子 姐夫 妹夫 舅舅 舅妈 姑姑  "
    "姑妈 姑父 姨妈 姨父 大伯 伯伯 伯父 伯母 婶婶 老头子 老太太 老太婆 老人家 女婿 儿媳妇 儿媳 家里人  "
    "家里老人 家人 家属 男朋友 女朋友 未婚夫 未婚妻 双胞胎 阿妈 阿爸 阿公 阿婆 老豆 老母 细路 崽崽 二宝  "
    "大宝 俩娃 两个娃 娃 小朋友 小家伙 姆妈 老汉 婆娘 老头 老伴 太奶奶 太爷爷 太姥姥 曾祖母 阿嬷 阿嬤 阿爷 阿嫲 "
    "阿姐 阿弟 阿妹 阿哥 "
    "大姨 二姨 小姨 大舅 二舅 小舅 大姑 二姑 小姑 三叔 二叔 大爷 大伯 老丈 亲家 亲家母 侄儿 弟媳 弟妹 儿媳 妯娌 "
    "小叔子 小舅子 小姨子 "
    "大姑姐 堂弟 孩他爸 孩他妈 娃他爸 娃他妈 爹妈 爹娘 爹地 妈咪 丫头 幺儿 幺妹 老幺 细佬 家姐 家公 家婆 老窦 奶"
    "娃 崽 孙儿 外孙子 "
    "小公主 小王子 配偶 先生和孩子 二娃 大娃 三宝 老三 "
)
#: Words that staff and strangers are called by too: relatives only when somebody's.
_OWNED = (
    "哥哥 姐姐 弟弟 妹妹 阿姨 叔叔 先生 太太 对象 男友 女友 老人 妈 爸 娃 哥 姐  "
    "弟 妹 娘 爹 姨 舅 姑 叔 孙 爷 奶 崽 仔 囡 女 小子 小儿子 大儿子 老二 老大 宝贝 宝 那口子 那位 家那位 另一半 "
    "先人 母上 父上 恋人 "
)
_SUBJECTS = ("哥哥", "姐姐", "弟弟", "妹妹", "妈", "爸", "哥", "弟", "妹", "爹", "娘", "宝贝", "老二", "老大", "奶")
KIN = re.compile("|".join(sorted(_PLAIN.split(), key=len, reverse=True)))
OWNED = re.compile(
    r"(?:(?<=我)|(?<=我们)|(?<=我家)|(?<=您)|(?<=他)|(?<=给)|(?<=帮)|(?<=带)|(?<=替)|(?<=陪)|(?<=为)|(?<=接)|"
    r"(?<=让)|(?<=我亲)|(?<=家里)|(?<=我的))"
    rf"(?:个|家|屋头|屋里|们家)?(?:{'|'.join(sorted(_OWNED.split(), key=len, reverse=True))})"
)
#: No kin, but somebody a visit can be for.
FOR_ONE = re.compile(r"(?:给|帮|替|为|带|陪)(?:我|我们)?的?(?:一个|一位|个|位)?(?P<who>朋友|闺蜜|同事|室友|同学)")
#: At the beginning of a clause a relative who does something: 弟弟摔了, 宝贝说疼, 妈牙疼; not one who is spoken to.
SUBJECT = re.compile(
    rf"(?:^|(?<=[，。！？；]))(?:{'|'.join(sorted(_SUBJECTS, key=len, reverse=True))})"
    r"(?=[^，。！？；您好在呀啊哎呢们]|的|在(?!吗|不))"
)
_KIN_NOT = re.compile(
    r"(?:(?<=女)|(?<=男)|(?<=熊)|(?<=大)|(?<=小))孩子?(?:气|子气)|孩子气|妈(?:呀|的|耶|妈呀)|爷爷的|奶奶的|"
    r"我的妈|(?:他|您)妈的|婆婆妈妈|(?:找|有没有|没有|没|谈|缺)(?:个)?(?:对象|男朋友|女朋友)|公公平|爸呀|"
    r"妈[，！]?呀|宝宝椅|家属院|家属楼|儿子化|姐妹|兄弟姐妹|孙子兵法|娃哈哈|洋娃娃|娃娃[菜机脸鱼]|崽崽|老三样|"
    r"妈宝|奶(?:茶|粉|酪|瓶|嘴|酸|油|牛|片|制|糖)|弟兄|哥们|娘家|女(?:医|士|的|生|神|人|款|性)|"
    r"(?:小|大)姑娘|老大(?:不|的|难)|宝贝(?:们|回家)|老头(?:乐|鞋)|妹子|哥俩|爸爸店|给女|(?:其他|别的|有些|很多|"
    r"哪个|那些)(?:妈妈|爸爸|孩子|小孩|老人家)|[有是]个?[男女]朋友|家人们"
)
_HOUSE = re.compile(r"^(?:个|家(?!那|[公婆姐])|屋头|屋里|们家)")
_AFTER_KIN_NOT = re.compile(r"^(?:呀|的！|的，|耶|咪|妹(?=们)|姐店)")

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜"
    "崔钟谭陆汪范金石廖贾夏韦傅付方白邹孟熊秦邱"
    "江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧"
    "耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟"
    "艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁"
    "沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
)
_COMPOUND = "欧阳|上官|司马|诸葛|司徒|皇甫|尉迟|东方|慕容|令狐|夏侯|端木|南宫"
_GIVEN = r"[\u4e00-\u9fff]"
_SAYS = (
    r"(?:我|他|孩子|妈妈?|爸爸?|老公|老婆|儿子|女儿|老人|朋友|名字|本人|姓名|小孩|宝宝|娃|奶奶|爷爷|外婆|外公|"
    r"人)?(?:的名字)?(?:叫做|名叫|叫|姓名(?:是|写|填|：|，)?|名字(?:是|叫|写|填|，)|"
    r"联系人(?:是|写|填|，)?|预约人(?:是|，)?|患者(?:是|叫|，)?|就诊人(?:是|叫|，)?|(?:收件|收货|病|付款|申请|"
    r"紧急联系)人(?:是|叫|，)?|本人(?:是|叫|，)?|改成|署名)"
)
CALLED = re.compile(rf"{_SAYS}(?P<name>(?:{_COMPOUND}){_GIVEN}{{1,2}}|[{SURNAMES}]{_GIVEN}{{1,2}})")
_TRIGGER = re.compile(r"叫|姓名|名字|联系人|预约人|患者|就诊人|收件人|收货人|病人|付款人|申请人|本人|署名")
I_AM = re.compile(
    rf"(?:^|[，。！])(?:您好|你好)?[，]?(?:我是|这里是|我就是)(?P<name>(?:{_COMPOUND}){_GIVEN}{{1,2}}|"
    rf"[{SURNAMES}]{_GIVEN}{{1,2}})(?=[，。！]|$|的|手机|电话|\d)"
)
#: Named where a family name, a correction or a telephone stands beside: 姓刘，刘建军; 是张晓明不是…; 王芳，138….
BESIDE = re.compile(
    rf"姓(?P<family>{_COMPOUND}|[{SURNAMES}])[，。]?(?:名|叫|全名|名字叫?)?[，]?(?P<first>(?P=family){_GIVEN}{{1,"
    rf"2}})(?=[，。！]|$|的|\d|七|六|五|八|今年)|"
    rf"(?:应该是|是|写成?|改成)(?P<second>[{SURNAMES}]{_GIVEN}{{1,2}})[，]?(?:不是|不叫|而不是)|"
    rf"小(?P<little>[{SURNAMES}])[，](?P<third>(?P=little){_GIVEN}{{1,2}})(?=[，。！]|$)|"
    rf"(?:^|[，。])(?P<fourth>(?:{_COMPOUND}){_GIVEN}{{1,2}}|[{SURNAMES}]{_GIVEN}{{1,2}})[，。]?(?:电话|手机号?|"
    rf"号码|联系电话)?(?:是|，)?(?=1[3-9]\d{{9}})|"
    rf"(?:写|填|用|登记)(?:的是|成)?我?(?:妈|爸|老公|老婆|儿子|女儿|爱人|"
    rf"老伴)(?:的名字)?，?(?P<fifth>[{SURNAMES}]{_GIVEN}{{1,2}})(?=[，。！]|$)"
)
BARE_NAME = re.compile(rf"^[，]?(?P<name>(?:{_COMPOUND}){_GIVEN}{{1,2}}|[{SURNAMES}]{_GIVEN}{{1,2}})[，。！]?$")
#: A given name does not go on with one of these.
_NOT_GIVEN = frozenset(
    "的了是在我您他要想约来去给和跟就也都有没不吗呢吧啊什么电手打预洗拔补看今明后下上这那个到叫问医"
)
_NOT_A_NAME = re.compile(
    r"医生|大夫|主任|护士|老师|医师|什么|多少|人工|救护|方便|时候|时间|全部|高兴|明白|任何|别人|成人|安心|和解|"
    r"文字|应该|关于|全家|时尚|连续|一下"
)

DATA = re.compile(
    "个人信息|个人资料|身份信息|健康数据|运动数据|运动记录|训练数据|手机号码?|电话号码?|联系方式|微信号|"
    "身份证号?码?|出生日期|家庭住址|住址|生日|心率|(?<!跑)步数|睡眠(?:数据)?|血压|血糖|体重|体脂|"
    "术后照|照片|相片|自拍|口内照|影像资料|影像|x光片?|ct片?子?|片子|全景片|牙片|病历|病例|健康档案|档案|病史|"
    "[\u4e00-\u9fff]{2}明细|诊疗记录|就医记录|诊断证明|就诊记录|治疗记录|看牙记录|检查报告|检查结果|过敏史|"
    "用药记录|诊断|预约记录|聊天记录|对话记录|语音|消费记录|付款信息|付款记录|支付记录|"
    "缴费记录|账单|积分|位置信息|定位|位置|行程|地址|标签|画像|疼痛评分|疼痛记录|回访记录|打分|评价|通讯录|"
    "姓名|名字|年龄|性别|(?<![打接来回通座])电话|邮箱|职业|单位|家属信息|紧急联系人|指纹|人脸|录音|视频|心情|"
    "情绪|体温|饮食记录|"
    "(?:手环|手表|跑步|训练|锻炼|健身|体测|体检|月经|生理期|饮食|血氧|身体|步态|睡眠|心率|体重|位置)的?(?:数据|"
    "记录|信息|报告)|月经|卡路里|运动轨迹|轨迹|身高|消费(?:记录)?|付款|收入|浏览记录|登录记录|通话录音|"
    "聊天的?(?:内容|记录)|聊天|对话|刷牙记录|打卡记录|用药|e?mail|phonenumber|phone|heartrate|photos?|xrays?|address|"
    "birthday|health(?:data)?|sleep(?:data)?|steps"
)
#: Without one of these nearby a kind of data is just a word (地址在哪, 拍片子多少钱).
ABOUT_DATA = re.compile(
    r"数据|资料|信息|隐私|同步|共享|分享|授权|导出|删|注销|存(?!在)|保存|保留|收集|采集|记录了|"
    r"留着|给别人看|谁看|看过我|看到我|查看我|拿我|用我|要我的|泄露|公开|第三方|发给|发我|传给|上传|"
    r"更正|更新|修改|写错|填错|登记|错了|换了|改成|改一下|改下|变了|不对|搬家|搬了|(?:怎么|为什么|为啥|"
    r"咋)(?:会)?(?:要|有|知道|晓得)|(?:我|要|想)换|干嘛要|"
    r"要来做|拿去|不想让|别让|别再|停止|关掉|关闭|不要用|别用|备份|打印|下载|拷贝|标签|打了什么|说我是|换成|断开|"
    r"关联|绑定|谁能|谁可以|谁会|谁在|能看到|看得到|看见|(?:发|要|给我|复印|调|寄)(?:来|出来)?一?[份张]|发份|"
    r"(?:查|看)一下|查查|必填|要不要填|非要|"
    r"一定要|提供|一并|复印|sync|delete|share|export|外传|外泄|宣传|展示|公布|不给|别给|不要给|清空|清除|抹掉|"
    r"推荐|泄漏|"
    r"传出|留存|撤回|撤销"
)


#: Where something is sent is no kind of data about the member: 发我邮箱.
_WHERE_TO = frozenset({"邮箱", "email", "mail", "微信号", "地址"})
_SENT_TO = re.compile(r"(?:发|寄|传|送)(?:到|给|我|去|进)[^，。！？；]{0,3}$")


#: The clinic has these too; only the member's own are data about them.
_OURS_TOO = frozenset({"电话", "电话号码", "地址", "位置", "邮箱", "phone", "address"})
_MINE = re.compile(r"我的?(?!们|发|一下)[^，。]{0,8}|换|错|改|填|登记|隐私|知道|要我|删|同步|定位|my")


def read(plain: PlainText) -> Iterator[Found]:
    """Yield relatives, names and kinds of data."""
    yield from _relatives(plain.text)
    yield from _names(plain)
    yield from _beside(plain)
    yield from _data(plain.text)


def _relatives(text: str) -> Iterator[Found]:
    barred = [match.span() for match in _KIN_NOT.finditer(text)]
    for pattern in (KIN, OWNED, SUBJECT):
        for match in pattern.finditer(text):
            start, end = match.span()
            if pattern is OWNED:
                start += len(match[0]) - len(_HOUSE.sub("", match[0]))
            if any(first < end and start < last for first, last in barred) or (
                _AFTER_KIN_NOT.match(text[end:]) and match[0][-1] in "妈爸娘奶爷"
            ):
                continue
            if match[0] in {"孩子", "小孩", "小孩子"} and start and text[start - 1] in "女男熊":
                continue
            yield Found("family_relation", start, end, text[start:end])
    for match in FOR_ONE.finditer(text):
        yield Found("family_relation", match.start("who"), match.end("who"), match["who"])


def _names(plain: PlainText) -> Iterator[Found]:
    patterns = (CALLED, I_AM, BARE_NAME) if plain.asked.endswith(".name") else (CALLED, I_AM)
    for pattern in patterns:
        for match in pattern.finditer(plain.text):
            if pattern is CALLED and not _TRIGGER.search(match[0][: match.start("name") - match.start()]):
                continue
            name = _cut(match["name"], plain, match.start("name"), sure=pattern is not CALLED)
            if name is not None:
                yield Found("person_name", match.start("name"), match.start("name") + len(name), name)


def _beside(plain: PlainText) -> Iterator[Found]:
    for match in BESIDE.finditer(plain.text):
        for group in ("first", "second", "third", "fourth", "fifth"):
            if match[group] is None:
                continue
            name = _cut(match[group], plain, match.start(group), sure=group != "second")
            if name is not None:
                yield Found("person_name", match.start(group), match.start(group) + len(name), name)


def _cut(name: str, plain: PlainText, start: int, *, sure: bool) -> str | None:
    """Return the part of `name` that is a name: it ends where a word ends, and no particle belongs to it."""
    least = 3 if re.match(_COMPOUND, name) else 2
    for length in range(len(name), least - 1, -1):
        part, after = name[:length], plain.text[start + length : start + length + 2]
        if any(char in _NOT_GIVEN for char in part[1:]) or _NOT_A_NAME.search(part + after):
            continue
        if start + length not in plain.inside or sure:
            return None if is_word(part) and after[:1] in {"，", "。"} and len(part) == 2 and not sure else part
    return None


def _data(text: str) -> Iterator[Found]:
    for match in DATA.finditer(text):
        if match[0] in _WHERE_TO and _SENT_TO.search(text[: match.start()]):
            continue
        if match[0] in _OURS_TOO and not _MINE.search(text):
            continue
        around = text[max(0, match.start() - 20) : match.start()] + "，" + text[match.end() : match.end() + 20]
        if ABOUT_DATA.search(around) or match[0] in {"个人信息", "个人资料", "健康数据", "运动数据"}:
            yield Found("data_category", match.start(), match.end(), match[0])
