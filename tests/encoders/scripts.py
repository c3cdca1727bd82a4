"""Texts in six scripts and more, short and long, plain and odd."""

SENTENCES = (
    "The food was terrible and cold.",
    "Excellent value, arrived on time; I would buy it again.",
    "don't waste your money",
    "菜品难吃，送餐太慢了！",
    "这家酒店非常好，服务热情。",
    "房间很小，隔音差，不推荐。",
    "Очень вкусно, спасибо большое",
    "Ужасный сервис, больше не приду.",
    "الطعام كان رائعا",
    "الغرفة قذرة والخدمة بطيئة",
    "यह बहुत अच्छा था",
    "कमरा गंदा था और सेवा धीमी",
    "とても美味しかったです",
    "サービスが遅くて残念でした。",
    "음식이 맛있고 친절했어요",
    "Το φαγητό ήταν εξαιρετικό",
)
ODD = (
    "",
    " ",
    "😀 ok 👍🏽",
    "It  was … great!!! 10/10 Ｆｕｌｌ width",
    "a",
    "字",
    "line one\nline two\ttabbed",
    "很好喝！天天都喝～～",
    "http://example.org/?q=%20 user@example.org #tag",
)
LONG = tuple(" ".join(SENTENCES[start::4]) for start in range(4))
TEXTS = (*SENTENCES, *ODD, *LONG)
