"""Traditional characters of this field as simplified ones, so that every rule and spelling is written once."""

from __future__ import annotations

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


def simplified(text: str) -> str:
    """The text with the traditional characters of this field written as simplified ones; its length stays."""
    return text.translate(_SCRIPT)
