from __future__ import annotations

from zccvoice.config import SpeechConfig
from zccvoice.speech.prompting import PromptPolicy

SETTINGS = SpeechConfig.model_validate(
    {
        "prompt": {"text": "Thank you for calling."},
        "prompts": {"q_1": {"hotwords": ["Kilowatt"]}, "Orders": {}},
    }
)


def test_the_queue_decides_by_id_or_name_and_case_does_not_matter() -> None:
    policy = PromptPolicy(SETTINGS)
    assert policy.choose(("Q_1", "Orders")).hotwords == ("Kilowatt",)
    assert policy.choose((None, "ORDERS")).text == ""
    assert policy.choose(("q_2", "Others")).text == policy.choose().text == "Thank you for calling."
