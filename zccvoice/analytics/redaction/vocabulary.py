"""What redaction knows of a language: its number words, what speakers put between digits, and cues.

Words are folded (`fold`): lower case, no accents, ``ß`` as ``ss``. A language that has no entry is searched for
written forms alone; where the language is not known, all of them count.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, fields
from functools import cache, lru_cache, reduce
from typing import Any

Phrases = frozenset[tuple[str, ...]]


@lru_cache(maxsize=10_000)
def fold(word: str) -> str:
    """A word as the vocabularies write it."""
    return "".join(
        one for one in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(one)
    )


def _words(text: str) -> frozenset[str]:
    return frozenset(fold(text).split())


def _phrases(text: str) -> Phrases:
    """Phrases separated by commas."""
    return frozenset(tuple(fold(one).split()) for one in text.split(","))


def _combined(firsts: str, seconds: str) -> Phrases:
    """Each of the first phrases with each of the second ones behind it."""
    return frozenset((*first, *second) for first in _phrases(firsts) for second in _phrases(seconds))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """One language, or several together."""

    numbers: dict[str, str] = field(default_factory=dict)
    """Words that are a number by themselves, as digits: units, teens, compounds."""
    tens: dict[str, int] = field(default_factory=dict)
    """Words to which a unit may be added."""
    tens_joiners: frozenset[str] = frozenset()
    """What may stand between tens and unit."""
    unit_joiners: frozenset[str] = frozenset()
    """What stands between unit and tens, where the unit comes first."""
    hundreds: dict[str, int] = field(default_factory=dict)
    """Words for hundreds, to which less than a hundred may be added."""
    hundred: frozenset[str] = frozenset()
    """Words that multiply what stands before them by a hundred."""
    thousand: frozenset[str] = frozenset()
    """Words that multiply what stands before them, if anything, by a thousand."""
    repeats: dict[str, int] = field(default_factory=dict)
    """Words that repeat the digit after them, and how often it then stands."""
    fillers: frozenset[str] = frozenset()
    """Words that are said between the digits of one number."""
    letters: dict[str, str] = field(default_factory=dict)
    """Names of letters that are words of several."""
    at: frozenset[str] = frozenset()
    dot: frozenset[str] = frozenset()
    joins: Phrases = frozenset()
    """What joins the words of an address before its ``at``, beside dots."""
    no_address: frozenset[str] = frozenset()
    """Words that stand before an ``at`` that belongs to no address."""
    email_cues: Phrases = frozenset()
    security_code_cues: Phrases = frozenset()
    card_code_cues: Phrases = frozenset()
    """Cues of a security code where a card was given before."""
    other_code_cues: Phrases = frozenset()
    """What makes such a cue that of another code."""
    national_id_cues: Phrases = frozenset()
    phone_cues: Phrases = frozenset()
    other_number_cues: Phrases = frozenset()
    """Cues of numbers that may be stored: orders, parcels, tickets."""
    name_cues: Phrases = frozenset()
    titles: frozenset[str] = frozenset()
    no_name: frozenset[str] = frozenset()
    """Words after a cue that are no name."""


def _units(text: str) -> dict[str, str]:
    """Names of the digits from zero on, one position each, further names behind slashes."""
    return {name: str(digit) for digit, names in enumerate(text.split()) for name in fold(names).split("/")}


def _row(text: str, first: int, step: int) -> dict[str, int]:
    return {
        name: first + step * place
        for place, names in enumerate(fold(text).split())
        for name in names.split("/")
    }


def _as_digits(numbers: dict[str, int]) -> dict[str, str]:
    return {name: str(number) for name, number in numbers.items()}


_ENGLISH = Vocabulary(
    numbers=_units("zero/oh/o/nought/naught one two three four five six seven eight nine/niner")
    | _as_digits(
        _row("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen", 10, 1)
    ),
    tens=_row("twenty thirty forty/fourty fifty sixty seventy eighty ninety", 20, 10),
    hundred=_words("hundred"),
    thousand=_words("thousand"),
    repeats={"double": 2, "triple": 3, "treble": 3, "quadruple": 4},
    fillers=_words(
        "uh uhh uhm um umm er erm ah hm hmm mm mhm okay ok yes yeah yep right and then so well dash hyphen minus "
        "space slash next followed by comma let me see"
    ),
    letters={"zed": "Z", "zee": "Z"},
    at=_words("at"),
    dot=_words("dot point period"),
    joins=_phrases("underscore,under score,dash,hyphen,minus,plus,slash"),
    no_address=_words(
        "look looking us me it is are was order ordered ordering shop shopping buy bought found available visit "
        "find here online you can not now site website page store products more information working work works "
        "go started them this that see reach products deals prices account help support log login logged"
    ),
    email_cues=_phrases("email,e mail,mail,mail address,write to,gmail"),
    security_code_cues=_phrases(
        "security code,card security,cvv,cvc,cvv2,cvc2,csc,cid,c v v,c v c,verification code on the card,"
        "card verification,verification value,verification number,code on the back,digits on the back,"
        "number on the back,digit code,digits on the front,"
        "the security number,your security number,my security number,card security number"
    )
    | _combined("code,number,numbers,digit,digits,figures", "on the back,on back,on the reverse"),
    card_code_cues=_phrases("code,security,on the back,on back,the back is,the back says,the back are"),
    other_code_cues=_phrases(
        "zip,postal,post,area,country,dial,promo,promotion,promotional,discount,voucher,coupon,gift,sort,access"
    ),
    national_id_cues=_phrases(
        "social security,social,ssn,s s n,national insurance,insurance number,nino,tax id,taxpayer,tin"
    ),
    phone_cues=_phrases(
        "phone,telephone,cell,cellphone,mobile,landline,call me,call me back,call you back,reach me,reach me at,"
        "reach you,callback,call back,ring me,contact number,my number,your number,number is,text me,whatsapp,fax"
    ),
    other_number_cues=_phrases(
        "order,tracking,parcel,package,shipment,invoice,ticket,case,reference,ref,booking,confirmation,contract,"
        "serial,model,part,item,article,sku,imei,isbn,ean,extension,policy,meter,claim,flight,purchase,receipt,"
        "customer number,customer id,member number,member id,membership number,account number,account id"
    ),
    name_cues=_phrases(
        "my name is,my name's,name is,i am called,this is mr,this is mrs,speaking with,full name is"
    ),
    titles=_words("mr mrs ms miss mister dr doctor"),
    no_name=_words(
        "and from calling i the a an on of with here speaking my it is not very sorry going have for to in "
        "would you can what how who was no yes sir madam please"
    ),
)
_SPANISH = Vocabulary(
    numbers=_units("cero uno/un/una dos tres cuatro cinco seis siete ocho nueve")
    | _as_digits(
        _row(
            "diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte "
            "veintiuno/veintiún/veintiuna veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete "
            "veintiocho veintinueve",
            10,
            1,
        )
    ),
    tens=_row("treinta cuarenta cincuenta sesenta setenta ochenta noventa", 30, 10),
    tens_joiners=_words("y"),
    hundreds=_row(
        "cien/ciento doscientos/doscientas trescientos/trescientas cuatrocientos/cuatrocientas "
        "quinientos/quinientas seiscientos/seiscientas setecientos/setecientas ochocientos/ochocientas "
        "novecientos/novecientas",
        100,
        100,
    ),
    thousand=_words("mil"),
    repeats={"doble": 2, "triple": 3},
    fillers=_words(
        "eh ehh ehm em este mm mhm hm ah pues vale sí si bueno y luego después guion guión raya menos espacio "
        "barra coma seguido de ver"
    ),
    letters=dict(
        zip(
            fold("be ce efe ge hache jota ka ele eme ene pe cu erre ese te uve equis ye zeta").split(),
            "BCFGHJKLMNPQRSTVXYZ",
            strict=True,
        )
    ),
    at=_words("arroba"),
    dot=_words("punto"),
    joins=_phrases("guion bajo,guion,guión,barra baja,barra,menos,más"),
    email_cues=_phrases("correo,email,e mail,mail,electrónico,escribe a,gmail"),
    security_code_cues=_phrases(
        "código de seguridad,cvv,cvc,cvv2,cvc2,c v v,c v c,código de verificación de la tarjeta,"
        "dígitos de atrás,dígitos del reverso,números de atrás,cifras del reverso,código de la tarjeta,"
        "código del reverso"
    )
    | _combined(
        "número,números,dígito,dígitos,cifra,cifras,código",
        "de atrás,de detrás,por detrás,detrás,que están detrás,que hay detrás,del reverso,en el reverso,del dorso,"
        "de la parte trasera,de la parte de atrás,de la parte posterior",
    )
    | _combined("código de tres,código de cuatro", "cifras,dígitos,números"),
    card_code_cues=_phrases("código,seguridad,reverso,dorso,detrás,atrás,parte trasera"),
    other_code_cues=_phrases("postal,promocional,promoción,descuento,cupón,regalo,acceso"),
    national_id_cues=_phrases("dni,nie,nif,documento,identidad,documento nacional"),
    phone_cues=_phrases(
        "teléfono,móvil,celular,fijo,llámeme,llámame,me llame,llamar al,mi número,su número,número es,"
        "número de contacto,contacto,whatsapp,fax"
    ),
    other_number_cues=_phrases(
        "pedido,seguimiento,envío,paquete,factura,ticket,expediente,referencia,reserva,confirmación,contrato,"
        "serie,modelo,artículo,imei,isbn,extensión,póliza,contador,vuelo,caso,incidencia,recibo,compra"
    ),
    name_cues=_phrases("me llamo,mi nombre es,nombre es,nombre completo es,le habla,le atiende,se llama"),
    titles=_words("señor señora señorita don doña sr sra srta doctor doctora"),
    no_name=_words("y de el la los un una que en con no sí es muy por para desde a mi"),
)


def _german_numbers() -> dict[str, str]:
    """Every German number below ten thousand, written as one word, as German writes them."""
    units = ["null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]
    teens = [
        "zehn",
        "elf",
        "zwölf",
        "dreizehn",
        "vierzehn",
        "fünfzehn",
        "sechzehn",
        "siebzehn",
        "achtzehn",
        "neunzehn",
    ]
    tens = ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"]
    below = ["", *units[1:], *teens]
    below += [f"{units[unit]}und{ten}" if unit else ten for ten in tens for unit in range(10)]
    found = {"zwo": "2", "eine": "1", "einen": "1", "einer": "1", "null": "0", "eins": "1"}
    for number in range(1, 10_000):
        thousand, hundred, rest = number // 1000, number // 100 % 10, number % 100
        heads = [f"{units[thousand]}tausend"] + ["tausend"] * (thousand == 1) if thousand else [""]
        middles = [f"{units[hundred]}hundert"] + ["hundert"] * (hundred == 1) if hundred else [""]
        ends = [below[rest]] + [f"{below[rest]}s"] * (rest == 1)
        for word in (f"{head}{middle}{end}" for head in heads for middle in middles for end in ends):
            found[fold(word)] = str(number)
    for name in list(found):
        if "zwei" in name:
            found.setdefault(name.replace("zwei", "zwo", 1), found[name])
    return found


@cache
def _german() -> Vocabulary:
    return Vocabulary(
        numbers=_german_numbers(),
        unit_joiners=_words("und"),
        repeats={"doppel": 2, "doppelt": 2, "zweimal": 2, "dreimal": 3, "dreifach": 3, "viermal": 4},
        fillers=_words(
            "äh ähh ähm öh hm hmm mm mhm ah okay ok ja so und dann also die strich bindestrich minus leerzeichen "
            "schrägstrich komma danach gefolgt von jetzt weiter moment"
        ),
        letters={"ypsilon": "Y", "zett": "Z"},
        at=_words("at ät klammeraffe"),
        dot=_words("punkt dot"),
        joins=_phrases("unterstrich,minus,bindestrich,strich,plus"),
        email_cues=_phrases("mail,e mail,email,mailadresse,e mail adresse,emailadresse,gmail"),
        security_code_cues=_phrases(
            "sicherheitscode,sicherheitsnummer,prüfnummer,kartenprüfnummer,prüfziffer,kartenprüfziffer,cvv,cvc,cvv2,"
            "cvc2,c v v,c v c,code auf der rückseite,ziffern auf der rückseite,zahlen auf der rückseite,"
            "nummer auf der rückseite"
        )
        | _combined("zahl,zahlen,ziffer,ziffern,stellen,nummer,nummern,code", "auf der rückseite,hinten"),
        card_code_cues=_phrases("code,rückseite,hinten"),
        other_code_cues=_phrases("gutschein,rabatt,aktions,aktion,postleitzahl,vorwahl,zugangs"),
        national_id_cues=_phrases("steuer,steuerid,steuernummer,identifikationsnummer,steuer id"),
        phone_cues=_phrases(
            "telefon,telefonnummer,handy,handynummer,mobil,mobilnummer,festnetz,rufnummer,anrufen,rufen sie,"
            "erreichen,erreichbar,zurückrufen,rückruf,meine nummer,ihre nummer,nummer ist,whatsapp,fax,faxnummer"
        ),
        other_number_cues=_phrases(
            "bestellung,bestellnummer,sendung,sendungsnummer,paket,paketnummer,rechnung,rechnungsnummer,ticket,"
            "ticketnummer,vorgang,vorgangsnummer,referenz,buchung,buchungsnummer,vertrag,vertragsnummer,"
            "seriennummer,modell,artikel,artikelnummer,imei,isbn,durchwahl,police,zähler,zählernummer,auftrag,"
            "auftragsnummer,kundennummer,aktenzeichen,flug"
        ),
        name_cues=_phrases("mein name ist,name ist,ich heiße,hier spricht,hier ist herr,hier ist frau"),
        titles=_words("herr herrn frau doktor dr"),
        no_name=_words("und aus der die das ich ein eine nicht sehr von mit hier am es wir sie zu in auf"),
    )


_LANGUAGES = ("en", "es", "de")


@cache
def vocabulary(language: str | None) -> Vocabulary:
    """The language's, by Whisper code or BCP-47 tag; all of them together when it is not known."""
    if language is None:
        return reduce(_together, map(vocabulary, _LANGUAGES))
    match language.casefold().split("-")[0]:
        case "en":
            return _ENGLISH
        case "es":
            return _SPANISH
        case "de":
            return _german()
    return Vocabulary()


def _together(one: Vocabulary, other: Vocabulary) -> Vocabulary:
    parts: dict[str, Any] = {
        each.name: getattr(one, each.name) | getattr(other, each.name) for each in fields(Vocabulary)
    }
    return Vocabulary(**parts)
