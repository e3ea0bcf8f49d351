"""In which texts spaces do not part words."""

from __future__ import annotations

import pytest

from zccvoice.analytics.unspaced import UNSPACED_LETTER


@pytest.mark.parametrize(
    "text",
    [
        "您好，请问有什么可以帮您？",
        "我的 iPhone 坏了",
        "お電話ありがとうございます。",
        "ｱﾘｶﾞﾄｳ",
        "สวัสดีค่ะ ยินดีให้บริการ",
        "ສະບາຍດີ",
        "ជំរាបសួរ",
        "မင်္ဂလာပါ",
        "བཀྲ་ཤིས་བདེ་ལེགས།",
    ],
)
def test_written_without_spaces(text: str) -> None:
    assert UNSPACED_LETTER.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "Good morning, that makes ฿100 – or 20 €.",
        "안녕하세요, 무엇을 도와드릴까요?",
        "Здравствуйте",
        "नमस्ते जी",
        "مرحبا بك",
        "Xin chào quý khách",
        "Καλημέρα σας",
        "",
    ],
)
def test_written_with_spaces(text: str) -> None:
    assert not UNSPACED_LETTER.search(text)
