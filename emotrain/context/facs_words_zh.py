"""The words for action units, regions and their course in Chinese; `facs_words` holds the English ones."""

from __future__ import annotations

PHRASES: dict[str, str] = {
    "1": "眉内侧上扬",
    "2": "眉外侧上扬",
    "4": "眉下压",
    "5": "上眼睑上提",
    "6": "脸颊上提",
    "7": "眼睑收紧",
    "9": "鼻皱起",
    "10": "上唇上提",
    "12": "嘴角上扬",
    "14": "嘴角收成酒窝",
    "15": "嘴角下拉",
    "17": "下巴上提",
    "20": "嘴唇横向拉伸",
    "23": "嘴唇收紧",
    "24": "嘴唇压紧",
    "25": "双唇分开",
    "26": "下颌下降",
    "45": "眨眼",
}

SIDES = {"left": "左侧", "right": "右侧"}

REGIONS: dict[str, str] = {
    "inner brow": "眉内侧",
    "outer brow": "眉外侧",
    "upper lid": "上眼睑",
    "lower lid": "下眼睑",
    "cheek": "脸颊",
    "mouth corner": "嘴角",
    "glabella": "眉间",
    "nose": "鼻",
    "upper lip": "上唇",
    "lower lip": "下唇",
    "chin": "下巴",
}

QUIET = "无可见变化。"
MORE_EVENTS = "另有{count}处较弱的变化。"
MORE_CUTS = "另有{count}次切换镜头。"
MORE_UNREAD = "另有{count}段看不到脸。"
SENTENCE = "{start:.2f}-{end:.2f} 秒：{intensity}{what}（{lasting}）。"
BRIEF = "短暂，顶点 {apex:.2f} 秒"
HELD = "持续 {length:.1f} 秒，顶点 {apex:.2f} 秒"
MOTION = "{regions}有运动"
PERHAPS, SLIGHTLY, STRONGLY = "可能", "轻微", "强烈"
