"""How Chinese takes a label back, in both scripts: traditional characters are read as their simplified ones."""

from __future__ import annotations

import re

_TRADITIONAL = (
    "憤怒厭惡懼驚訝悲傷難過開樂興無憂慮緊張負積極絕對蔑視輕沒說應該會還與為麼這個證據斷確認並現顯點見覺識別們卻發"
    "氣惱嚇樣滿煩躁鬱悶壓淚靜穩聽觀後時問題圖頻臉視們種類標籤結論預測試選項兩雙頭額間內電腦幾處實際從來麗愛煩"
    "嗎讓輕鬆緒達僅臺廣義關於隱藏"
)
_SIMPLIFIED = (
    "愤怒厌恶惧惊讶悲伤难过开乐兴无忧虑紧张负积极绝对蔑视轻没说应该会还与为么这个证据断确认并现显点见觉识别们却发"
    "气恼吓样满烦躁郁闷压泪静稳听观后时问题图频脸视们种类标签结论预测试选项两双头额间内电脑几处实际从来丽爱烦"
    "吗让轻松绪达仅台广义关于隐藏"
)
_SCRIPT = str.maketrans(_TRADITIONAL, _SIMPLIFIED)

IDIOMS = re.compile(
    r"生气勃勃|(?:我|我们)(?:也|很|非常|十分|感到|真)*(?:高兴|难过|乐意|遗憾|开心|悲伤|失望|伤心)|(?<![\u4e00-\u9fff])很高兴(?:为|能|和|认识)"
    r"|生日快乐|(?:作为|保持|持|身为)(?:一个)?(?:中立|中性)的?|愤怒的小鸟"
)

NEGATOR = re.compile(
    r"(?:不是|并非|并不|没有|而非|而不是|绝非|远非|绝不|决不|毫无|毫不|排除|不太|不像|不属于|看不出|未见|未|没|不|非|无)"
    r"(?:很|太多?|是|在|像是?|那么|特别|明显的?|任何|一丝|丝毫|多少|什么|怎么|再|有|带|会|可能|一定|应该?|算|到|见|出|上|看到|看见|看出"
    r"|感到|感觉到?|觉得|显得|表现出|显示出|流露出|说是?){0,3}$"
)
"""A negator right before a mention, or with a few adverbs and verbs between ("不怎么高兴", "没有看到愤怒")."""

BREAK = r"(?:[，。；！？：,.;!?:\n]|而|但|却|只是|因为|所以|为什么|为何|不如说|其实)"
DOUBT = re.compile(
    r"(?:(?:无法|不能|难以|不足以|未能|没法|很难|不敢|不便)(?:准确|清楚|直接)?(?:判断|判定|确定|确认|断定|认定|认为|分辨|识别|辨别|得知|知道"
    r"|说|推断|看出)|不(?:认为|觉得|确定|清楚|知道|相信)|看不(?:出|到|见|清)|没有?(?:看到|看见|看出|发现|迹象|证据|显示|表现|流露|出现|任何)"
    r"|未(?:见|看到|发现|显示|表现|观察到)|是否|是不是|难说|不好说|[说称算谈]不上|怀疑|如果|要是|假如|假设|若是|背景|灯光|音乐|墙壁?|衣服|色调|最常见|默认|另一个|另外一|旁边的|观众"
    r"|大家|人们|别人|其他人|不能算|刚才"
    r"|之前|曾经?|以前|昨天|一开始|起初|原本|本来|假装|装作|装出|扮演|演出|猜不[出到]|说(?:这|那|自己)|强颜|伪装|乍看|乍一看"
    r"|看似|与其说|误认为|误以为|以为|标题|写着|名为|名叫|歌曲|询问|你问|比如|例如|一点也?不|根本不|并没有?|未必|不见得|不会说|不能断言|没有一点|不代表|不等于|说[他她]"
    r"|要求|命令|叫[他她]|请[他她]|教[他她]|[他她我]的(?:朋友|同事|同伴|老板|上司|母亲|父亲|同学|邻居|室友)|让|这首歌|台词|歌词|字幕|对白|文件名|有人|[歌曲乐]|缺乏|不一定|谁知道|说自己"
    rf")(?:(?!{BREAK}).){{0,16}}$"
)
"""A doubt, denial or supposition that holds for the rest of its clause ("我不认为他生气", "无法判断他是否高兴")."""

THING = re.compile(
    r"(?:电影|音乐|故事|歌曲?|画面|场景|气氛|氛围|影片|剧情|背景|灯光|天气|色调|基调|小[狗猫]|[狗猫])(?:本身|整体|其实|看起来|显得|很|非常|十分|都|是|有点|比较|太)*$"
)
"""Something that is no person and is said to be sad: "这部电影很悲伤"."""

AFTER = re.compile(
    r"(?:之意|的?(?:情绪|表情|可能性|迹象|成分|证据|表现))?(?:并|都|也)?(?:不明显|不存在|不成立|不大|很小|较低|可以排除|可排除|无关|未见|不足|被排除|不符)"
    r"|的?(?:背景|色|颜色|音乐|歌|礼物|派对|灯光|故事|电影|助手|立场|语气词)|[^。！；\n.!;]{0,8}(?:吗|么|？|\?)|[”\"'」』]?的小鸟"
    r"|,?[^。;!\n]{0,10}(?:可能不是|但(?:并)?不是|无法判断|无法确)|的，看不到|[:：]\s*(?:否|无|没有)"
)


def simplified(text: str) -> str:
    """The text with the traditional characters of this field written as simplified ones; its length stays."""
    return text.translate(_SCRIPT)


def takes_back(before: str, after: str) -> bool:
    """Whether the words around a mention deny it, doubt it, suppose it, or say it of something else."""
    return (
        NEGATOR.search(before[-16:]) is not None
        or DOUBT.search(before[-30:]) is not None
        or THING.search(before[-20:]) is not None
        or AFTER.match(after[:24]) is not None
    )


_SHOWS = (
    r"(?:看起来|看上去|看来|显得|表现[得出为]?|流露出?|看到|看见|可见|露出|显示出?|呈现出?|展现出?|体现出?|表情|情绪"
    r"|情感|心情|神情|神色|面色|面容|神态|目光|眼神|脸上|感到|感觉|觉得|处于|充满|透露出?|带着|是|为|很|非常|十分|有些|有点|比较|特别|极度?|更像|更"
    r"|像是|属于|表示|表明|说明|整体|人物|男子|女子|他|她|主要|应该|可能|大概|明显|忍不住|掩饰|无比|还|[:：,])"
)
_LIGHT = (
    r"(?:的|面|地|得|了|着|是|为|很|非常|十分|一种|一丝|出|到|有|些|点|更|而|又|感到|明显|强烈|极度|比较|特别|那么"
    r"|[\s*_`\"':,“”「」()（）])"
)
_ASSERTS = re.compile(rf"(?:^|[。;；\n!?,，：:]|{_SHOWS}){_LIGHT}{{0,8}}(?:\w{{1,3}}(?:和|与|、|及|以及))?$")


def asserts(before: str, after: str) -> bool:
    """Whether a Chinese mention stands alone in its clause, or behind a word that says that somebody shows it."""
    return _ASSERTS.search(before[-24:]) is not None
