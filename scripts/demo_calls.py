"""What is said in the demo calls, by whom, and with which of the synthesizer's settings it is understood best."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Who = Literal["consumer", "agent"]


@dataclass(frozen=True)
class Line:
    """One utterance, placed after what came before or into it."""

    who: Who
    text: str
    gap_ms: int = 500
    """After the end of everything before."""
    into: float | None = None
    """Instead: begin this far (0–1) into the line before."""


@dataclass(frozen=True)
class Hold:
    """The agent puts the consumer on hold."""

    length_ms: int
    gap_ms: int = 400


@dataclass(frozen=True)
class Call:
    """One demo call."""

    name: str
    title: str
    language: str
    seed: int
    queue: str
    agent: tuple[str, str]
    """Name and espeak-ng voice."""
    consumer: tuple[str, str]
    stop_reason: str
    script: tuple[Line | Hold, ...]
    faults: str = ""
    """TOML of the ``[faults]`` table; ``{burst_ms}`` lies in the line `burst_line`."""
    burst_line: int = 0


CALLS = (
    Call(
        name="orders",
        title="A delivery that never arrived",
        language="en",
        seed=11,
        queue="Orders",
        agent=("Linda Baker", "en-us+f2"),
        consumer=("Robert Walker", "en-us+m4"),
        stop_reason="customer_disconnected",
        script=(
            Line(
                "agent", "Thank you for calling Northwind, my name is Linda, how can I help you today?", 900
            ),
            Line("consumer", "Hi, my name is Robert Walker and I am calling about my order.", 700),
            Line("consumer", "I have been waiting for two weeks and the delivery never arrived.", 700),
            Line("consumer", "My order number is 483920.", 600),
            Line("agent", "Please stay on the line while I check your order.", 500),
            Hold(6_300),
            Line("agent", "Thank you for holding, I have found your order.", 700),
            Line("consumer", "I called three times already and nobody called me back.", 400),
            Line(
                "agent", "I am very sorry about the delivery, I understand how upset you must be.", into=0.62
            ),
            Line("agent", "Um, let me check, one moment please.", 600),
            Line("agent", "You will receive a refund of fifty dollars within five business days.", 3_400),
            Line("consumer", "Fine.", into=0.5),
            Line("agent", "Is there anything else I can do for you today?", 650),
            Line("consumer", "No, that is all, thank you so much.", 800),
            Line("agent", "Have a great day, goodbye.", 350),
        ),
    ),
    Call(
        name="factura",
        title="Un pago que nadie autorizó",
        language="es",
        seed=12,
        queue="Facturación",
        agent=("Lucía Serrano", "es+Andrea"),
        consumer=("Jorge Torres", "es+m4"),
        stop_reason="customer_disconnected",
        script=(
            Line(
                "agent",
                "Gracias por llamar a Energía Solar, mi nombre es Lucía, ¿en qué puedo ayudarle?",
                800,
            ),
            Line("consumer", "Hola, me llamo Jorge Torres y llamo por mi factura.", 650),
            Line("agent", "¿Me puede dar su número de cuenta, por favor?", 500),
            Line("consumer", "Mi número de cuenta es el 439071.", 900),
            Line("agent", "Espere en la línea mientras reviso su cuenta.", 450),
            Line("agent", "Gracias por su paciencia, ya encontré su contrato.", 3_400),
            Line("consumer", "Ya llamé tres veces y nadie me devolvió la llamada.", 500),
            Line("agent", "Lamento mucho lo de la factura, entiendo que esté molesto.", into=0.6),
            Line("consumer", "Yo no autoricé este pago.", 700),
            Line("agent", "Recibirá un reembolso de cincuenta euros en tres días.", 900),
            Line("consumer", "Sí, perfecto.", into=0.4),
            Line("agent", "¿Hay algo más en lo que pueda ayudarle hoy?", 800),
            Line("consumer", "No, eso es todo, muchas gracias.", 600),
            Line("agent", "Que tenga un buen día, hasta luego.", 350),
        ),
    ),
    Call(
        name="router",
        title="Ein Router auf einer schlechten Leitung",
        language="de",
        seed=13,
        queue="Technik",
        agent=("Anna Schmidt", "de+f2"),
        consumer=("Peter Fischer", "de+m4"),
        stop_reason="agent_disconnected",
        script=(
            Line(
                "agent",
                "Danke für Ihren Anruf bei Metro Telefon, mein Name ist Anna, wie kann ich Ihnen helfen?",
                900,
            ),
            Line("consumer", "Hallo, mein Name ist Fischer und ich rufe wegen meiner Garantie an.", 600),
            Line("consumer", "Ich habe ein Problem mit dem Router, die Leitung bricht immer ab.", 700),
            Line("agent", "Das tut mir sehr leid, ich kann Sie gut verstehen.", 450),
            Line("agent", "Haben Sie den Router schon neu gestartet?", 700),
            Line("consumer", "Ich habe immer noch das gleiche Problem, ich kann mich nicht anmelden.", 800),
            Line(
                "agent",
                "Ziehen Sie den Stecker, warten Sie zehn Sekunden und stecken Sie ihn wieder ein.",
                600,
            ),
            Line("consumer", "Jetzt geht es, vielen Dank.", 4_200),
            Line("agent", "Kann ich sonst noch etwas für Sie tun?", 500),
            Line("consumer", "Nein, das ist alles, vielen Dank für Ihre Hilfe.", 750),
            Line("agent", "Einen schönen Tag noch, auf Wiederhören.", 300),
        ),
        faults="lost = [\n"
        '  {{ who = "consumer", ratio = 0.03 }},\n'
        '  {{ who = "agent", ratio = 0.03 }},\n'
        '  {{ who = "consumer", from_ms = {burst_ms}, to_ms = {burst_end_ms} }},\n'
        "]\n"
        'duplicated = [{{ who = "agent", ratio = 0.02 }}]\n'
        'swapped = [{{ who = "consumer", ratio = 0.02 }}]\n'
        "misspelt_participant_info = true\n",
        burst_line=5,
    ),
)

TAKES: dict[str, tuple[int, int]] = {
    "orders/01": (165, 50),
    "orders/02": (165, 45),
    "orders/03": (165, 45),
    "orders/04": (160, 45),
    "orders/05": (165, 50),
    "orders/06": (165, 50),
    "orders/07": (165, 45),
    "orders/08": (175, 55),
    "orders/09": (165, 50),
    "orders/10": (165, 50),
    "orders/11": (165, 45),
    "orders/12": (165, 50),
    "orders/13": (165, 45),
    "orders/14": (165, 50),
    "factura/01": (165, 50),
    "factura/02": (165, 45),
    "factura/03": (165, 50),
    "factura/04": (165, 45),
    "factura/05": (165, 50),
    "factura/06": (165, 50),
    "factura/07": (165, 45),
    "factura/08": (165, 50),
    "factura/09": (165, 45),
    "factura/10": (165, 50),
    "factura/11": (165, 45),
    "factura/12": (165, 50),
    "factura/13": (165, 45),
    "factura/14": (165, 50),
    "router/01": (165, 50),
    "router/02": (165, 45),
    "router/03": (165, 45),
    "router/04": (165, 50),
    "router/05": (165, 50),
    "router/06": (165, 45),
    "router/07": (165, 50),
    "router/08": (165, 45),
    "router/09": (165, 50),
    "router/10": (165, 45),
    "router/11": (165, 50),
}
"""Speaking rate and pitch by ``call/line number``, as found by ``--search``."""

DEFAULT_TAKE = (165, 50)


def lines_of(call: Call) -> Iterator[tuple[str, Line]]:
    """The call's utterances with their keys."""
    spoken = (entry for entry in call.script if isinstance(entry, Line))
    return ((f"{call.name}/{number:02d}", line) for number, line in enumerate(spoken, 1))
