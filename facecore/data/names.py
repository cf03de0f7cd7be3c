"""Read the names in a ZIP, whatever encoding they are in.

A ZIP marks names in UTF-8. Others should be in cp437, but are in whatever the system of their
maker used. A short name often decodes in several encodings, so all names of the ZIP are tried
together, and the encoding wins in which their characters are the likeliest.
"""

import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import log

from facecore.errors import DataError

UTF_8 = 0x800  # flag of an entry
UNICODE_PATH = 0x7075  # extra field of Info-ZIP: version, CRC-32 of the stored name, name in UTF-8
MANY = 300  # names that tell the encoding of all
SYMBOL, RARE = log(1e-6), log(5e-6)  # chances of a character that names hardly have
ASCII_LETTER, OTHER_ASCII = log(1 / 30), log(1 / 60)
MIXED = log(1e-3)  # letters of two scripts side by side
SELDOM = log(1e-2)  # an encoding that few systems still use, or few people
UNUSUAL = log(1e-2)  # a capital within a word, two accented letters

# The commonest characters, of running text and of what labels of faces say.
SIMPLIFIED = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多"
    "经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知"
    "全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门"
    "任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接"
    "必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住"
    "告类求据程北边死张该交规万取格望觉术领共确传师观清今切院让识候带导争运笑男脸怒喜悲惊恐厌哭微照片童青伤愤讶惧恶轻幼孩训练测试集"
    "刘陈杨黄赵周吴徐孙胡朱林郭罗梁宋郑谢韩唐冯董萧曹袁邓沈曾彭吕苏卢蒋蔡贾丁魏薛叶余潘杜戴夏钟汪姜范石姚谭陆郝孔崔康江史顾侯邵孟"
    "龙钱汤尹黎武乔贺赖静洋伟芳娜敏丽强磊勇艳杰娟涛超霞猫狗镜爸妈哥姐弟妹左右红绿蓝黑"
)
TRADITIONAL = (
    "的一是不我有大在人了中到資要以可這個你會好為上來學就交也用能如時文說沒他看那提問生過下請天們所多麼小之想得工出還電對都機自後"
    "子而訊站去心只家知國台很信成章何同道地發法無然但嗎當於本現年前真最和新因果定意情點題其事方清科樣些吧三此位理行作經者什謝名日正"
    "華話開實再城愛與二動比高面又車力或種像應女教分手打已次長太明己路起相主關間呢覺該十外友才民系進使她著各少全兩回加將感第性球式把"
    "被老公龍程論別給聽水重體做校裡常東風您灣見解等部原月美先管區錯音否找網樂讓通入期選較四場由書它快從歡數表怎至立內合目望認幾社告"
    "更版度考喜頭難光買今身許弟若算記代統處完號接言政玩師字並男計誰山張黨每且結改非星連建放直轉報活設變指氣研陳試西五取神化物王戰近"
    "世受義反單死任跟便空林士卻北隊功必聲寫平影業金檔片討色容向市則員利強白價安特思叫總辦保花議傳元求件持萬未究決投笑離眼臉怒悲驚恐"
    "厭哭微照童青傷憤訝懼惡輕幼孩訓練測集陳林黃李吳劉蔡楊許鄭郭洪曾邱廖賴周徐蘇葉莊江呂何羅蕭潘簡朱鍾彭游胡施沈余趙盧梁顏孫魏戴宋"
    "鄧杜曹薛丁溫董石唐玲志芳雅君豪偉貓狗鏡戴爸媽哥姊弟妹左右紅綠藍黑"
)
KANJI = (
    "日一国人年大十二本中長出三時行見月後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先名川千水半男西電校語土木聞食"
    "車何南万毎白天母火右読友左休父雨会同事自社発者地業方新場員立開手力問代明動京目通言理体田主題意不作用度強公持野以思家世多正安院"
    "心界教文元重近考画海売知道集別物使品計死特私始朝運終台広住無真有口少町料工建空急止送切転研足究楽起着店病質待試族銀早映親験英医"
    "仕去味写字答夜音注帰古歌買悪図週室歩風紙黒花春赤青館屋色走秋夏習駅洋旅服夕借曜飲肉貸堂鳥飯勉冬昼茶弟牛魚兄犬妹姉漢笑顔怒悲驚恐"
    "嫌表情面横性別幸喜哀若老幼児童泣微平静普通訓練類感憎怖佐藤鈴伊渡辺村斎清崎池橋阿森福岡松林原加吉猫鏡"
)
SYLLABLES = (
    "이다는에의가을를은한고하지도로사기리자인어나서들해시정있수대아게그라일보여부전제스으것주장구면조원동상적니유무비만과모국생치화신관중"
    "안물오개선경공영우성습음남녀웃슬픔분노놀람행복얼굴학친족진람소미마연방드러와트위체회양당요내안계년군크바용입금문실말명세호재반통"
    "산거르불식교현달업터없각기간강건결권근길까날단데되또란량력련레려록론류름린매몬민박발배번법변별병복본북빛색석설속술습심쓰않야약언"
    "역열예외운움월육은임작저절점존종좌직질집차참책처천청초최추출충측친키타탄태토투특파판편평포표품프피필학합항향험형혼확환황활후훈련"
    "테중립청노인린아혐오두려움젊은백흑좋김박최윤홍철희민준서연지은맨끼코양왼쪽른빨파랑"
)
CYRILLIC = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєґў"
GREEK = "αοιετσνηυρπκμλςάίδέόήγθφχύώβξωζψ"
HEBREW = "יוהלאמתרשבנדעםקחפגצסכןטזךףץ"
ARABIC = "ايلمونرتبةعدسفهكقحجشطصأخضزذثىءغئظؤإآ"
THAI = "านรกอเมยลวดทสต่ั้ะิีปบคหงชพจ์ุขูแโใไธศ็ำืณผถึซภฟษญฐฮ"
CENTRAL = "áéíóęłążščřśćńěžýůöüäőőúůşťďňźţăîâçűđğı"
ACCENTED = "äöüßéèêëàâáåæøçñíìîïóòôõãúùûœ"


@dataclass(frozen=True)
class Names:
    """The names of the entries of a ZIP.

    Parameters
    ----------
    texts : list of str
        One per entry, composed (Unicode NFC).
    guessed : str
        The encoding that was guessed; empty where none had to be.
    """

    texts: list[str]
    guessed: str = ""

    @property
    def note(self) -> str:
        """What was guessed, in one line; empty where nothing was."""
        if not self.guessed:
            return ""
        return (
            f"the ZIP does not say how its names are encoded; they were read as {self.guessed} "
            f"({ENCODINGS[self.guessed]}): choose another encoding if they look wrong"
        )


def read_names(entries: Sequence[zipfile.ZipInfo], encoding: str | None = None) -> Names:
    """Return the names of entries.

    Parameters
    ----------
    entries : sequence of ZipInfo
        All entries of a ZIP, opened without an encoding of its own.
    encoding : str, optional
        Of the names that do not say theirs. Left out, it is UTF-8 where all of them are valid in
        it, otherwise the likeliest of `ENCODINGS`.

    Returns
    -------
    Names

    Raises
    ------
    DataError
        There is no such encoding, or the names are not in it.

    Examples
    --------
    >>> entry = zipfile.ZipInfo("männer/1.jpg".encode("cp1252").decode("cp437"))
    >>> names = read_names([entry])
    >>> names.texts, names.guessed
    (['männer/1.jpg'], 'cp1252')
    """
    known = [_unicode_name(entry) for entry in entries]
    stored = [
        entry.orig_filename.encode("cp437")
        for entry, name in zip(entries, known, strict=True)
        if name is None
    ]
    encoding, guessed = (encoding, "") if encoding else _find_encoding(stored)
    try:
        decoded = iter([name.decode(encoding) for name in stored])
    except LookupError as error:
        raise DataError(
            f"there is no encoding {encoding!r}; for example: {', '.join(ENCODINGS)}"
        ) from error
    except UnicodeError as error:
        raise DataError(
            f"the names in the ZIP are not in {encoding}; choose another encoding"
        ) from error
    texts = [next(decoded) if name is None else name for name in known]
    return Names([unicodedata.normalize("NFC", text.partition("\0")[0]) for text in texts], guessed)


def _unicode_name(entry: zipfile.ZipInfo) -> str | None:
    """Return the name of an entry that says its encoding; None for others."""
    if entry.flag_bits & UTF_8:
        return entry.orig_filename
    extra, stored = entry.extra, entry.orig_filename.encode("cp437")
    while len(extra) >= 4:
        kind, size = (int.from_bytes(extra[at : at + 2], "little") for at in (0, 2))
        body, extra = extra[4 : 4 + size], extra[4 + size :]
        # where the checksum differs, a tool that does not know the field has renamed the entry
        valid = body[:1] == b"\1" and body[1:5] == zlib.crc32(stored).to_bytes(4, "little")
        if kind == UNICODE_PATH and valid and _decodes(body[5:], "utf-8"):
            return body[5:].decode()
    return None


def _find_encoding(stored: Iterable[bytes]) -> tuple[str, str]:
    """Return the encoding of names, and again if it was guessed."""
    parts = dict.fromkeys(part for name in stored for part in name.split(b"/"))
    strange = [part for part in parts if not part.isascii()]
    if all(_decodes(part, "utf-8") for part in strange):
        return "utf-8", ""
    # the parts of a path are tried whole: a slash is no second byte of any encoding here
    fitting = [name for name in ENCODINGS if all(_decodes(part, name) for part in strange)]
    told = strange[:MANY]

    def chance(name: str) -> float:
        return sum(_likelihood(part, name) for part in told) + SELDOM * (name in RARELY_USED)

    best = max(fitting, key=chance)
    return best, best


def _decodes(part: bytes, encoding: str) -> bool:
    try:
        part.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _likelihood(part: bytes, encoding: str) -> float:
    """Return the logarithm of the chance of a name in the language of an encoding."""
    chance, total, before = _CHANCES[encoding], 0.0, "  "
    for letter in part.decode(encoding):
        if letter.isascii():
            total += ASCII_LETTER if letter.isalpha() else OTHER_ASCII
        else:
            total += chance(letter)
        last = before[1]
        if letter.isalpha() and last.isalpha():
            accented = not letter.isascii() and not last.isascii() and _is_latin(letter)
            rising = last.islower() and letter.isupper()
            inside = before.isalpha() and last.isupper() and letter.islower()
            if _is_latin(last) != _is_latin(letter):
                total += MIXED
            elif accented or rising or inside:
                total += UNUSUAL
        before = last + letter
    return total


def _is_latin(letter: str) -> bool:
    return letter.isascii() or unicodedata.name(letter, "").startswith("LATIN")


def _alphabet(common: str, share: float) -> Callable[[str], float]:
    """Return the chance of a letter, the common ones first; `share` is that of all of them."""
    ranks = {letter: rank for rank, letter in enumerate(common)}
    weights = sum(1 / (rank + 8) for rank in ranks.values())

    def chance(letter: str) -> float:
        rank = ranks.get(letter.lower() if letter.lower() in ranks else letter)
        if rank is None:
            return RARE if letter.isalpha() else SYMBOL
        return log(share / (rank + 8) / weights)

    return chance


def _characters(
    common: str, encoding: str, lead: range, share: float, kana: bool = False
) -> Callable[[str], float]:
    """Return the chance of a character of East Asia.

    The standards have one range of first bytes (`lead`) for the characters in use, others for the
    rest. In running text, the commonest few hundred have a share of two thirds (Chinese, Japanese)
    or more (Korean).
    """
    likely, seldom = log(share / len(set(common))), log(0.02 / 8000)
    used = log((0.98 - share) / (len(lead) * 94))

    def chance(letter: str) -> float:
        if letter in common:
            return likely
        if kana and "\u3041" <= letter <= "\u30fc":
            return log(1 / 120)
        if not letter.isalpha() or "\uff61" <= letter <= "\uff9f" or "\ue000" <= letter <= "\uf8ff":
            return SYMBOL
        stored = letter.encode(encoding)
        usual = len(stored) == 2 and stored[0] in lead
        if encoding in ("gbk", "cp949"):  # their extensions have low second bytes
            usual = usual and stored[1] > 0xA0
        return used if usual else seldom

    return chance


ENCODINGS = {
    "cp932": "Japanese",
    "euc_jp": "Japanese, Unix",
    "gbk": "Chinese, simplified",
    "cp950": "Chinese, traditional",
    "cp949": "Korean",
    "cp1251": "Cyrillic, Windows",
    "cp866": "Cyrillic, DOS",
    "koi8-r": "Cyrillic, Unix",
    "cp1253": "Greek",
    "cp1255": "Hebrew",
    "cp1256": "Arabic",
    "cp874": "Thai",
    "cp1252": "Western, Windows",
    "cp1250": "Central European, Windows",
    "cp852": "Central European, DOS",
    "cp1254": "Turkish",
    "cp437": "Western, DOS",
    "cp850": "Western, DOS with more letters",
}
RARELY_USED = (
    *("euc_jp", "koi8-r", "cp1253", "cp1255", "cp1256", "cp874", "cp1250", "cp852", "cp1254"),
)
_CHANCES: dict[str, Callable[[str], float]] = {
    "cp932": _characters(KANJI, "cp932", range(0x88, 0x98), 0.65, kana=True),
    "gbk": _characters(SIMPLIFIED, "gbk", range(0xB0, 0xD8), 0.65),
    "cp950": _characters(TRADITIONAL, "cp950", range(0xA4, 0xC7), 0.65),
    "cp949": _characters(SYLLABLES, "cp949", range(0xB0, 0xC9), 0.85),
    "euc_jp": _characters(KANJI, "euc_jp", range(0xB0, 0xD0), 0.65, kana=True),
    **dict.fromkeys(("cp1251", "cp866", "koi8-r"), _alphabet(CYRILLIC, 0.98)),
    "cp1253": _alphabet(GREEK, 0.98),
    "cp1255": _alphabet(HEBREW, 0.98),
    "cp1256": _alphabet(ARABIC, 0.98),
    "cp874": _alphabet(THAI, 0.98),
    **dict.fromkeys(("cp1250", "cp852", "cp1254"), _alphabet(CENTRAL, 0.1)),
    **dict.fromkeys(("cp1252", "cp437", "cp850"), _alphabet(ACCENTED, 0.2)),
}
