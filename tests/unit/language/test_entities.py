"""What a message names, and what it only seems to name.

A row: what a member writes, what had been asked, and everything that is named as `kind=value`; times only as `time`.
Nothing more may be found than stands there.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from care.adapters.language.entities import EntityReader
from care.adapters.language.times import TimeReader
from care.adapters.packs import clinic_names, load_pack, practitioner_names, service_names
from care.model.entities import Entity, Vocabulary

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 23, 10, tzinfo=ZONE)
PACK = load_pack(Path(__file__).resolve().parents[3] / "packs" / "dental")
READER = EntityReader(
    Vocabulary(services=service_names(PACK), practitioners=practitioner_names(PACK), clinics=clinic_names(PACK)),
    TimeReader(ZONE),
)

NAMES = [
    ("想找王建国主任种牙", "practitioner=wang_jianguo service=implant"),
    ("王医森周六在吗", "practitioner=wang_jianguo time"),
    ("王建过医生", "practitioner=wang_jianguo"),
    ("李亚婷看牙套怎么样", "practitioner=li_yating"),
    ("黎雅婷医生有号吗", "practitioner=li_yating"),
    ("雅婷医生在不在", "practitioner=li_yating"),
    ("林晓雨", "practitioner=lin_xiaoyu"),
    ("找陈昊拔智齿", "practitioner=chen_hao service=wisdom"),
    ("周民大夫的号", "practitioner=zhou_min"),
    ("周敏", "practitioner=zhou_min"),
    ("小陈医生", "practitioner=chen_hao"),
    ("孙医师看美白吗", "practitioner=sun_qian service=whitening"),
    ("徐老师洗牙手轻", "practitioner=xu_man service=scaling"),
    ("王醫生星期三喺唔喺度", "practitioner=wang_jianguo time"),
    ("Dr. Li有空吗", "practitioner=li_yating"),
    ("wang医生", "practitioner=wang_jianguo"),
    ("王 医生", "practitioner=wang_jianguo"),
    ("王医生和李医生谁好", "practitioner=wang_jianguo practitioner=li_yating"),
    ("Dr. Lin有空吗", "practitioner=lin_xiaoyu"),
    ("can I see Doctor Zhao", "practitioner=zhao_lei"),
    ("赵主人在不在", "practitioner=zhao_lei"),
    ("约个洗牙", "service=scaling"),
    ("种的牙", "service=implant"),
    ("拔掉了两颗智齿", "service=wisdom"),
    ("杀个神经", "service=root_canal"),
    ("做完美白", "service=whitening"),
    ("wisdom teeth", "service=wisdom"),
    ("想做invisalign", "service=ortho_start"),
    ("加完力", "service=ortho_adjust"),
    ("回診", "service=review"),
    ("洗压多少钱", "service=scaling"),
    ("我想洗个牙", "service=scaling"),
    ("xiya", "service=scaling"),
    ("我要約洗牙", "service=scaling"),
    ("我要约个洗呀", "service=scaling"),
    ("种值一颗多少钱", "service=implant"),
    ("重植牙", "service=implant"),
    ("植牙要多久", "service=implant"),
    ("种两颗牙", "service=implant"),
    ("种植咨询", "service=implant_consult"),
    ("八牙", "service=extraction"),
    ("拔两颗智齿", "service=wisdom"),
    ("补一颗牙", "service=filling"),
    ("整牙", "service=ortho_start"),
    ("箍牙", "service=ortho_start"),
    ("隐型矫正", "service=ortho_start"),
    ("抽神经", "service=root_canal"),
    ("半口洗牙", "service=deep_scaling"),
    ("洗牙和补牙一起做", "service=scaling service=filling"),
    ("做个美百", "service=whitening"),
    ("滨江店周日开门吗", "clinic=binjiang time"),
    ("西胡店怎么走", "clinic=xihu"),
    ("文三路那家", "clinic=xihu"),
    ("去總店", "clinic=xihu"),
]
NOT_NAMES = [
    "任何医生都行",
    "对方医生怎么说",
    "提高医生水平",
    "和医生说一声",
    "找医生看看",
    "照医生说的做",
    "叫医生给我打电话",
    "心理医生",
    "张医生在吗",
    "需要医生签字吗",
    "树林里小雨不停",
    "展翅高飞",
    "完整牙齿",
    "西湖醋鱼好吃",
    "去西湖玩了一圈",
    "我住滨江区",
    "支持你们",
    "这个戒指好看",
    "家里有事",
    "没白来",
    "吃瓜子行吗",
    "我听不懂",
    "怕看牙医",
    "美白牙膏推荐一下",
    "重置密码",
    "种植园",
    "矫正视力",
    "总之谢谢",
    "喜鸭",
    "贴面礼",
    "外面小雨转晴",
    "真呀",
    "洁牙师",
    "不香 牙好",
    "家人们谁懂",
]
QUANTITIES = [
    ("9", "checkin.pain", "pain_score=9"),
    ("9", "survey.nps", "rating=9"),
    ("9", "booking.time", "time"),
    ("9", None, ""),
    ("七", "checkin.pain", "pain_score=7"),
    ("大概五六分", "checkin.pain", "pain_score=6"),
    ("3到4分吧", "checkin.pain", "pain_score=4"),
    ("昨天8今天5", "checkin.pain", "pain_score=5 time"),
    ("６分", "checkin.pain", "pain_score=6"),
    ("疼痛6分", None, "pain_score=6 symptom=疼痛"),
    ("疼8分左右", None, "pain_score=8 symptom=疼"),
    ("从8分疼到3分", "checkin.pain", "pain_score=3 symptom=疼"),
    ("7分疼", None, "pain_score=7 symptom=疼"),
    ("给你们打9分", None, "rating=9"),
    ("9分", None, "rating=9"),
    ("五星好评", None, "rating=5"),
    ("满分10分我给8分", "survey.nps", "rating=8"),
    ("四颗星", None, "rating=4"),
    ("十分满意", None, ""),
    ("五星级酒店", None, ""),
    ("体温37.8", None, "temperature=37.8"),
    ("三十八度五", None, "temperature=38.5"),
    ("发烧38点5", None, "symptom=发烧 temperature=38.5"),
    ("37.2", "checkin.temp", "temperature=37.2"),
    ("385", "checkin.temp", "temperature=38.5"),
    ("室外38度热死了", None, ""),
    ("一共38块", None, ""),
    ("我38岁", None, ""),
    ("要晚二十分钟", None, "duration=PT20M"),
    ("往后推一周", None, "duration=P1W"),
    ("一个半小时够吗", None, "duration=PT90M"),
    ("肿了三天", None, "duration=P3D symptom=肿"),
    ("三天后", None, "time"),
    ("一天三次", None, ""),
    ("第三天", None, ""),
    ("3个月的宝宝", None, "family_relation=宝宝"),
    ("一会儿到", None, ""),
    ("13812345678", None, "phone=13812345678"),
    ("138 1234 5678", None, "phone=13812345678"),
    ("138-1234-5678", None, "phone=13812345678"),
    ("１３８１２３４５６７８", None, "phone=13812345678"),
    ("幺三八幺二三四五六七八", None, "phone=13812345678"),
    ("一三八零零零零一二三四", None, "phone=13800001234"),
    ("+86 13912345678", None, "phone=13912345678"),
    ("订单1381234567890", None, ""),
    ("0571-88001234", None, "phone=057188001234"),
    ("一点点，1", "checkin.pain", "pain_score=1"),
    ("6 停车太难", "survey.nps", "rating=6"),
    ("护士十分，医生五分，平均八分", "survey.nps", "rating=8"),
    ("十分疼", None, "symptom=疼"),
    ("嚼不动饭，6分", None, "pain_score=6 symptom=嚼不动"),
    ("拔完牙腮帮鼓着，身上38.6", None, "service=extraction symptom=腮帮鼓着 temperature=38.6"),
    ("服务8分，就是嘴里有点麻", None, "rating=8 symptom=麻"),
    ("10分制给9，疼得睡不着", None, "pain_score=9 symptom=疼 symptom=睡不着"),
    ("疼0分", "checkin.pain", "pain_score=0"),
    ("pain level 3", None, "pain_score=3"),
    ("疼痛5/10", None, "pain_score=5 symptom=疼痛"),
    ("体温三八五", None, "temperature=38.5"),
    ("三七度八", None, "temperature=37.8"),
    ("卅八度二", None, "temperature=38.2"),
    ("烧38.5 两天了", None, "symptom=烧 temperature=38.5 duration=P2D"),
    ("流了一晚上血", None, "duration=PT8H symptom=流了一晚上血"),
    ("肿了好几天", None, "duration=P3D symptom=肿"),
    ("咬了40min", None, "duration=PT40M"),
    ("一个多星期了", None, "duration=P1W"),
    ("我是92年的", None, ""),
    ("三天两头", None, ""),
    ("想了半天", None, ""),
    ("一周来几天", None, ""),
    ("330106199001011234", None, ""),
]
BODY = [
    ("左下智齿疼", "symptom=疼 tooth_site=左下智齿"),
    ("左下智齿疼想拔掉", "symptom=疼 tooth_site=左下智齿 service=wisdom"),
    ("右上第二颗牙有点酸", "symptom=酸 tooth_site=右上第二颗牙"),
    ("大牙疼", "symptom=疼 tooth_site=大牙"),
    ("16号牙松动", "symptom=松动 tooth_site=16号牙"),
    ("门牙缺了一块", "symptom=缺了一块 tooth_site=门牙"),
    ("最里面那颗牙肿了", "symptom=肿 tooth_site=最里面那颗牙"),
    ("牙齦腫了", "symptom=肿"),
    ("又肿又疼", "symptom=肿 symptom=疼"),
    ("还在流血怎么办", "symptom=流血"),
    ("没发烧但是肿", "symptom=肿"),
    ("疼得睡不着", "symptom=疼 symptom=睡不着"),
    ("嘴唇还是麻的", "symptom=麻"),
    ("线掉了", "symptom=线掉了"),
    ("伤口有异味", "symptom=异味"),
    ("脸还没消肿", "symptom=肿"),
    ("牙龈出血", "symptom=出血"),
    ("没有流血也没有发烧", ""),
    ("不肿不疼", ""),
    ("不怎么疼了", ""),
    ("会不会肿", ""),
    ("洗牙疼吗", "service=scaling"),
    ("怕疼", ""),
    ("要是发烧怎么办", ""),
    ("听说会疼", ""),
    ("昨天流血今天好了", "time"),
    ("上次拔牙流血很多", "service=extraction"),
    ("笑死我了", ""),
    ("心疼钱", ""),
    ("麻烦你了", ""),
    ("麻药过了没", ""),
    ("我松了一口气", ""),
    ("想吃酸奶", ""),
    ("合不拢嘴", "symptom=合不拢"),
    ("起了个小疙瘩不疼不痒", "symptom=起了个小疙瘩"),
    ("肿不肿都来看看", ""),
    ("矫治器戴上之后说话漏风", "symptom=说话漏风"),
    ("舌头木木的", "symptom=木木的"),
    ("一咬就酸一下", "symptom=酸"),
    ("咬东西会痛", "symptom=痛"),
    ("肿还没全消", "symptom=肿"),
    ("gum still swollen", "symptom=swollen"),
    ("no fever", ""),
    ("is it painful?", ""),
    ("fashao le", "symptom=fashao"),
    ("牙有点钟", "symptom=钟"),
    ("疼倒不疼，就是痒", "symptom=痒"),
    ("说不上疼", ""),
    ("谁说我发烧了", ""),
    ("上回拔牙肿了", "service=extraction"),
    ("如果后天还不消肿", "time"),
    ("等麻药过了就会疼吧", ""),
    ("我同事脸肿了", ""),
    ("护士扎了我三次", ""),
    ("时间很紧张", ""),
    ("更衣室臭烘烘的", ""),
    ("洗牙的时候出血了，回家就没出了", "service=scaling"),
    ("我裂开了", ""),
    ("给你们添堵了，不好意思", ""),
    ("不疼吗", ""),
    ("往左边走", ""),
    ("点右上角的按钮", ""),
    ("晚上牙刷放哪", ""),
]
PEOPLE = [
    ("给我妈约个洗牙", "family_relation=妈 service=scaling"),
    ("带娃看牙", "family_relation=娃 service=child_checkup"),
    ("帮老公问问", "family_relation=老公"),
    ("替我婆婆约", "family_relation=婆婆"),
    ("我姐姐想洗牙", "family_relation=姐姐 service=scaling"),
    ("帶我媽去", "family_relation=妈"),
    ("帮爸妈约", "family_relation=爸妈"),
    ("我叫张伟", "person_name=张伟"),
    ("我是李娜，想约洗牙", "person_name=李娜 service=scaling"),
    ("孩子叫陈一诺今年五岁", "family_relation=孩子 person_name=陈一诺"),
    ("联系人：欧阳娜娜", "person_name=欧阳娜娜"),
    ("名字写刘洋", "person_name=刘洋"),
    ("小姐姐在吗", ""),
    ("阿姨你好", ""),
    ("弟弟摔了", "family_relation=弟弟"),
    ("我家小子补牙", "family_relation=小子 service=filling"),
    ("姐姐在吗", ""),
    ("给同事约洗牙", "family_relation=同事 service=scaling"),
    ("免贵姓刘，刘建军", "person_name=刘建军"),
    ("收件人 林巧巧 13022223333", "person_name=林巧巧 phone=13022223333"),
    ("病历发我邮箱", "data_category=病历"),
    ("别给我妈打电话", "family_relation=妈"),
    ("delete my phone number", "data_category=phonenumber"),
    ("我的妈呀", ""),
    ("女孩子", ""),
    ("没有对象", ""),
    ("我叫什么来着", ""),
    ("我是来复查的", "service=review"),
    ("别再同步我的心率", "data_category=心率"),
    ("别把我的照片给别人看", "data_category=照片"),
    ("導出我的病歷", "data_category=病历"),
    ("停止同步步数和睡眠", "data_category=步数 data_category=睡眠"),
    ("你们怎么有我的生日", "data_category=生日"),
    ("我换手机号了", "data_category=手机号"),
    ("诊所地址在哪", ""),
    ("诊所电话多少", ""),
    ("拍片子多少钱", ""),
]
ROWS = [
    *((text, None, named) for text, named in (*NAMES, *BODY, *PEOPLE)),
    *QUANTITIES,
    *((text, None, "") for text in NOT_NAMES),
]


def _read(text: str, asked: str | None = None) -> list[Entity]:
    return READER.read(text, MONDAY, asked)


def _said(entity: Entity) -> str:
    return "time" if entity.entity == "time" else f"{entity.entity}={entity.value}"


@pytest.mark.parametrize(("text", "asked", "named"), ROWS, ids=str)
def test_a_message_names_what_it_says_and_nothing_else(text: str, asked: str | None, named: str) -> None:
    found = _read(text, asked)

    assert sorted(_said(entity) for entity in found) == sorted(named.split())


@pytest.mark.parametrize(("text", "asked", "named"), ROWS, ids=str)
def test_every_span_is_cut_out_of_the_members_own_text(text: str, asked: str | None, named: str) -> None:
    longer = f"😊　{text}"

    for entity in (*_read(text, asked), *_read(longer, asked)):
        source = longer if longer[entity.start : entity.end] == entity.text else text
        assert entity.text
        assert source[entity.start : entity.end] == entity.text


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("我媽想約後天下午的種牙", "service", "種牙"),
        ("我想找 王 医森 洗 压", "practitioner", "王 医森"),
        ("电话是１３８ １２３４ ５６７８哦", "phone", "１３８ １２３４ ５６７８"),
        ("体温三十八度五了", "temperature", "三十八度五"),
        ("现在疼痛６分", "pain_score", "６"),
        ("左下 智齿 疼", "tooth_site", "左下 智齿"),
        ("给5星", "rating", "5"),
        ("🤒怎么办", "symptom", "🤒"),
        ("约后天晚上七点半洗牙", "time", "后天晚上七点半"),
    ],
)
def test_an_entity_keeps_the_members_spelling(text: str, kind: str, words: str) -> None:
    found = [entity for entity in _read(text) if entity.entity == kind]

    assert [entity.text for entity in found] == [words]


def test_without_a_pack_nothing_of_it_is_named() -> None:
    reader = EntityReader(Vocabulary(services={}, practitioners={}, clinics={}), TimeReader(ZONE))

    found = reader.read("王医生洗牙", MONDAY)

    assert found == []


def test_two_practitioners_of_one_surname_are_not_told_apart_by_it() -> None:
    vocabulary = Vocabulary(services={}, practitioners={"a": ("王建国",), "b": ("王芳",)}, clinics={})
    reader = EntityReader(vocabulary, TimeReader(ZONE))

    assert reader.read("王医生在吗", MONDAY) == []
    assert [entity.value for entity in reader.read("王芳医生在吗", MONDAY)] == ["b"]


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=60),
    st.sampled_from([None, "checkin.pain", "checkin.temp", "survey.nps", "booking.time", "x.name"]),
)
def test_no_text_raises(text: str, asked: str | None) -> None:
    for entity in _read(text, asked):
        assert text[entity.start : entity.end] == entity.text
