"""What Chinese prose says that somebody shows: clauses of known words alone, as in `prose.py`.

A clause that names an emotion counts where every other part of it stands in `_HARMLESS`; denied emotions count for
nothing, and a clause with any other word leaves the reply unread. Clauses without an emotion may say anything but the
words of `_STOPS`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from emotrain.metrics.mentions import Mention, Sentence

_WORDS = """
    面 答 他 她 他们 她们 它 这 这个 该 这位 这名 此 人 人物 男人 女人 男子 女子 男性 女性 男孩 女孩 男士 女士 孩子
    小孩 主角 角色 主体 画面中 画面 视频中 视频里 视频 影片中 影片 图中 图片中 片段中 片段 这段 的 地 得 了 着 中 里
    上 脸上 脸 面部 面孔 面容 表情 神情 神色 神态 眼神 目光 情绪 情感 心情 状态 样子 整体 整个 主要 主导 核心 所
    展现出 展现 展示 表现出 表现为 表现 表达 表达出 流露出 流露 露出 显示出 显示 呈现出 呈现 体现出 体现 传达出 传达
    透露出 看起来 看上去 看来 看得出 看到 显得 似乎很 感到 感觉 觉得 处于 充满 带着 带有 是 为 属于 归为 应为 应该是
    更像是 更像 像是 最 符合 接近 可能性最大 很 非常 十分 相当 有些 有点 有一些 比较 特别 极度 极其 极为 无比 强烈
    明显 深深 满脸 一脸 一种 一丝 一些 一个 出 到 更 而 但 但是 是一种 又 又是 因此 所以 综上所述 综上 综合判断
    综合来看 总之 总体来说 总体 根据 从 中可以看出 可以看出 可以看到 可看出 可见 可以判断 判断 判断为 我认为 我判断
    我觉得 我选择 选择 认为 结论 答案 最终 最终答案 标签 类别 分类 结果 预测 识别 属 最符合 最可能 最合适 当前 说明
    表明 表示 意味着 反映出 反映 暗示 笑得 笑 哭得 忍不住 难掩 毫不掩饰 掩饰不住 不满 激动 委屈 疲惫 紧锁 皱着眉头
    害羞 还 都 也 和 与 及 以及 并 且 并且 而且 却 其 整张脸 正 正在 在 明确 清楚 清晰 目前 显然 确实 真的 真 内心
    现在 此刻 此时 这里 该段 选 项 大 高 程度 较 较为 最终情绪 面无表情 属于一种 不仅 正确 他的 她的 最后 典型 平静
    其实 更准确地说 准确地说 应该说 实际上 事实上 真正 最终判断 更多 主要是 明显地 大声 高声 轻声 突然 一直
    始终 眼睛 眼眶 嘴角 眉头 双手 身体 双眼 眼泪 泪水 笑容 微笑 情绪是 表情是 神情是 心里 面带 带着笑容 因为 由于 所以是
"""
_HARMLESS = "|".join(sorted(_WORDS.split(), key=len, reverse=True))
_MARKS = r"[\s*_`\"'“”「」『』:：()（）\[\]【】a-d.、0-9%-]"
_CLAUSE = re.compile(rf"(?:{_HARMLESS}|{_MARKS}|[\ue000-\uf8ffx])*")
_NEGATES = (
    r"(?:看不到|看不出|而不是|而非|不是|并非|并不是|既不是|也不是|并没有|没有|绝非|毫无|排除|不再|并不|不太|不像|不|没|无|未)"
    r"(?:看到|看见|看出|出现|表现出|显示出|显示|流露出|流露|感到|觉得|显得|怎么|很|太|那么|特别|明显的?|任何|丝毫|一丝|是|会|可能|再|有|的|迹象|表明|见|他|她|像|到|属于)*"
)
_MENTION = "[\ue000-\uf8ff]"
_JOINS = r"(?:[、,，]|和|与|或者?|及|以及|也不是|也没有|也不)"
_DENIED = re.compile(
    rf"{_NEGATES}{_MENTION}(?:(?:[、]|或者?|也不是|也没有|也不){_MENTION}|(?<=没有.)(?:和|与){_MENTION})*(?:的?(?:情绪|表情|迹象|成分))?"
)
_RULED_OUT = re.compile(
    rf"{_MENTION}(?:的?(?:情绪|表情|可能性|迹象|成分|证据|表现))?(?:并|都|也)?(?:不明显|不存在|不成立|不大|很小|较低|可以排除|可排除|被排除)"
)
_STOPS = re.compile(
    r"不|没|无法|非|未|难|否|如果|假如|假设|要是|若|即使|就算|可能|也许|或许|大概|恐怕|假|装|扮|另|其他|别人|旁|说|问|吗|么|[?？]|谁|曾|刚才|之前|以前|昨|原本|本来|一开始|起初|要求|让|叫|请|对不起|抱歉|遗憾|但|演|例如|比如|通常|有人|误|别"
)
_HARMLESS_DENIALS = re.compile(
    r"不[停断住时由禁已]|合不拢嘴|说不出话|(?:没有|不)(?:笑容|说话|动作|微笑|动)|面无表情|毫不犹豫|目不转睛|(?:虽然|尽管)很难(?:判断|确定)"
)
_A_THING = re.compile(
    rf"^(?:这个?|这段|该|整个|整体|的)*(?:画面|视频|影片|片段|图片)(?![中里]|[^，,]*(?:情绪|人|他|她))"
    rf"|{_MENTION}的(?:画面|视频|影片|片段|图片)|看到.*{_MENTION}的(?:人|女|男|孩)"
)
"""A picture is said to be sad, or somebody sad is looked at."""
_ANSWER = re.compile(
    rf"(?:因此|所以|综上所述|综上|总之|{_MARKS})*(?:我的)?(?:最终)?(?:答案|结论|标签|预测结果|正确答案|判断结果)(?:应?该?是|为|应为)"
)


def sentence(part: str, mentions: Sequence[Mention]) -> Sentence:
    """What one Chinese sentence says; mentions are written as the characters of `prose_words.MENTION`."""
    text = _RULED_OUT.sub("x", _DENIED.sub("x", re.sub(r"\s", "", part)))
    claimed: list[str | None] = []
    for clause in re.split(rf"[，,]|(?<={_MENTION})[:：](?=[^，,]{{4}})", text):
        named = re.findall(_MENTION, clause)
        if named or "x" in clause:
            if _CLAUSE.fullmatch(clause) is None or _A_THING.search(clause) is not None:
                return Sentence((), unknown=True)
            claimed += [mentions[ord(one) - 0xE000].label for one in named]
        elif _STOPS.search(_HARMLESS_DENIALS.sub("", clause)) is not None:
            return Sentence((), unknown=bool(re.search(rf"{_MENTION}|x", text)), silent=True, harmless=False)
    return Sentence(
        tuple(claimed), answer=bool(claimed) and _ANSWER.match(text) is not None, silent=not claimed and "x" not in text
    )
