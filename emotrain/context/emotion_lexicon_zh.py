"""Chinese words that name a feeling, by the label that each gives away; `emotion_lexicon` holds the English ones.

Written for this project from everyday vocabulary, family by family as in the English list. Chinese writes no spaces, so
a word of one character would be found inside others: all have two or more. Lists are in simplified characters; text
in traditional ones is read through `TRADITIONAL`.
"""

from __future__ import annotations

STEMS: dict[str, str] = {
    "anger": """
        愤怒 生气 恼火 恼怒 愤恨 愤慨 气愤 发怒 发火 怒火 怒气 怒视 暴怒 大怒 震怒 怒容 狂怒 恼羞 激怒 愤愤 愤懑
        不满 不悦 烦躁 烦恼 暴躁 急躁 恼人 怨恨 怨气 仇恨 憎恨 敌意 敌视 嫉妒 妒忌 恨意 咬牙切齿 怒不可遏 火冒三丈
        不耐烦 厌烦 抓狂 怒目
    """,
    "disgust": "厌恶 恶心 反感 嫌恶 作呕 嫌弃 憎恶 讨厌 反胃 令人作呕",
    "fear": """
        恐惧 害怕 惊恐 惧怕 畏惧 恐慌 惊慌 惊吓 吓坏 惊骇 惶恐 胆怯 恐怖 可怕 吓人 慌张 慌乱 惊惶 惊惧 胆战心惊
        毛骨悚然 怕得 吓到 被吓 受惊 魂飞魄散 发怵 怯懦 怯生生
    """,
    "happiness": """
        高兴 快乐 开心 喜悦 愉快 欢喜 欢乐 欢快 欣喜 狂喜 兴奋 兴高采烈 欣慰 欣然 满意 满足 得意 愉悦 幸福 快活
        喜色 惊喜 激动 乐呵呵 笑容 微笑 大笑 欢笑 含笑 笑意 笑脸 笑嘻嘻 笑眯眯 笑了 发笑 眉开眼笑 喜出望外 欢欣
        自豪 骄傲 陶醉 享受 喜爱 喜欢 热爱 深情 温馨 乐观 热情 畅快 心花怒放 舒心 高高兴兴 欣赏 感激 宽慰
    """,
    "sadness": """
        悲伤 难过 伤心 忧伤 哀伤 悲痛 悲哀 哀痛 悲恸 伤感 忧郁 抑郁 郁闷 沉痛 痛苦 痛心 心痛 心碎 哭泣 哭了 大哭
        痛哭 抽泣 啜泣 流泪 落泪 泪水 眼泪 含泪 泪流满面 泪汪汪 哽咽 悲戚 凄凉 凄惨 哀愁 忧愁 愁容 愁眉 苦涩 苦笑
        悲凉 惆怅 愧疚 内疚 羞愧 羞耻 懊悔 后悔 悔恨 遗憾 孤独 寂寞 委屈 低落 消沉 尴尬 忧心 黯然 悲观 哀怨 难受
        不高兴 不开心 不快乐 哭丧
    """,
    "surprise": "惊讶 吃惊 震惊 惊奇 诧异 惊愕 惊异 错愕 意外 惊呆 目瞪口呆 讶异 愕然 大吃一惊 难以置信",
    "contempt": """
        轻蔑 蔑视 鄙视 不屑 鄙夷 轻视 藐视 嘲讽 嘲笑 讥讽 讥笑 冷笑 瞧不起 看不起 傲慢 嗤之以鼻 讽刺 鄙薄 白眼
    """,
    "anxiety": """
        焦虑 担忧 担心 忧虑 焦急 不安 忐忑 焦躁 着急 坐立不安 局促 心慌 发愁 惴惴 提心吊胆 忧心忡忡 焦灼
    """,
    "helplessness": "无助 无奈 绝望 无力感 束手无策 无可奈何 走投无路 无能为力 万念俱灰 不知所措",
    "disappointment": "失望 沮丧 灰心 气馁 失落 泄气 丧气 垂头丧气 扫兴",
    "neutral": "中性 平静 面无表情 毫无表情 没有表情 无表情 不动声色 木然 漠然 冷漠 淡漠 面不改色",
    "calm": "镇定 冷静 淡定 从容 安详 宁静 沉着 心平气和 安宁",
    "tense": "紧张",
    "repression": "压抑 隐忍",
    "feeling": "无聊 困惑 疑惑 迷茫 茫然 好奇 纳闷 厌倦 害羞 羞涩 害臊",
}

TRADITIONAL = dict(
    zip(
        "鬆萬喪為爲樂亂於從傷興內悽淒涼齣動勢壓厭雙發髮變喫弔後嚇獃嘔週嚥脣迴睏壞聲處復複頭奮寧甯寬尷侷倖開異棄張歸憂唸態悵噁惡慟惱悅驚懼慘癒憤懣戰慼掃擔敵無顯極歡"
        "氣沈沒洩淚澀漸溫滿點煩熱愛狀獨畫畵暢瞼積緊納紋綫線絕絶緒恥膚膽臉衊慮錶觀視譏討訝諷詳詫賞趨輪輕較過遺鬱埰寀採錯鎭鎮鏡間悶隱難靜麪麫麵頸頰頜頻額飛餒驕駭齒",
        "松万丧为为乐乱于从伤兴内凄凄凉出动势压厌双发发变吃吊后吓呆呕周咽唇回困坏声处复复头奋宁宁宽尴局幸开异弃张归忧念态怅恶恶恸恼悦惊惧惨愈愤懑战戚扫担敌无显极欢"
        "气沉没泄泪涩渐温满点烦热爱状独画画畅睑积紧纳纹线线绝绝绪耻肤胆脸蔑虑表观视讥讨讶讽详诧赏趋轮轻较过遗郁采采采错镇镇镜间闷隐难静面面面颈颊颌频额飞馁骄骇齿",
        strict=True,
    )
)
"""Traditional characters of the lists and of faces, one to one, so that a text keeps its length and its places."""

_MUSCLE = (
    "(?:嘴唇|唇|嘴角|嘴|口轮匝肌|肌肉|肌|眼睑|眼周|眼部|眼角|眼|眉间|眉毛|眉头|眉"
    "|下颌|下巴|额头|额|脸颊|颈部|鼻翼|皮肤)"
)

HARMLESS: tuple[str, ...] = (
    rf"{_MUSCLE}[部处]?(?:略微|稍微|轻微|明显|有些|有点|变得|显得|很|更|都|也|仍|保持|逐渐|略显|略|稍)*地?紧张",
    rf"紧张的?(?:双|上|下|左侧|右侧)?{_MUSCLE}",
    r"(?:肌肉|皮肤)的?紧张度?",
    r"(?:回到|恢复到?|返回|回归|处于|从)中性(?!的?(?:情绪|表情|心情))",
    r"中性的?(?:位置|姿势|姿态|头位|头部|背景|光|色|灰)",
    r"(?:画面|背景|镜头|光线|水面|视频)(?:保持|变得|趋于|很|十分|较为)?平静|意外(?:地|的是)",
    r"笑(?:肌|纹)|白眼(?:球|珠)",
)
"""Regular expressions of what says no feeling although it holds such a word: muscles, positions, the picture."""
