//! The public holidays of countries, nationwide, by rule.

use jiff::civil::Weekday::{Friday, Monday, Saturday, Thursday};

use super::holiday::Holiday;
use super::holiday::Rule::{Easter, Equinox, Fixed, From, Nearest, Nth, Orthodox};
use super::holiday::Rule;

/// The countries: their two letters and their holidays.
pub(crate) const COUNTRIES: [(&str, &[Holiday]); 28] = [
    ("AT", &[NEW_YEAR, EPIPHANY, EASTER_MONDAY, LABOUR, ASCENSION, WHIT_MONDAY, CORPUS_CHRISTI, ASSUMPTION, ("National Day", Fixed(10, 26)), ALL_SAINTS, IMMACULATE, CHRISTMAS, BOXING]),
    ("AU", &[NEW_YEAR, ("Australia Day", Rule::Monday(1, 26)), GOOD_FRIDAY, EASTER_MONDAY, ("Anzac Day", Fixed(4, 25)), CHRISTMAS, BOXING]),
    ("BE", &[NEW_YEAR, EASTER_MONDAY, LABOUR, ASCENSION, WHIT_MONDAY, ("National Day", Fixed(7, 21)), ASSUMPTION, ALL_SAINTS, ("Armistice Day", Fixed(11, 11)), CHRISTMAS]),
    ("BR", &[NEW_YEAR, ("Carnival", Easter(-47)), GOOD_FRIDAY, ("Tiradentes Day", Fixed(4, 21)), LABOUR, ("Independence Day", Fixed(9, 7)), ("Our Lady of Aparecida", Fixed(10, 12)), ("All Souls' Day", Fixed(11, 2)), ("Republic Day", Fixed(11, 15)), CHRISTMAS]),
    ("CA", &[NEW_YEAR, GOOD_FRIDAY, ("Victoria Day", From(5, 18, Monday)), ("Canada Day", Fixed(7, 1)), ("Labour Day", Nth(9, Monday, 1)), ("Thanksgiving", Nth(10, Monday, 2)), CHRISTMAS, BOXING]),
    ("CH", &[NEW_YEAR, GOOD_FRIDAY, EASTER_MONDAY, ASCENSION, WHIT_MONDAY, ("National Day", Fixed(8, 1)), CHRISTMAS, BOXING]),
    ("CZ", &[NEW_YEAR, GOOD_FRIDAY, EASTER_MONDAY, LABOUR, ("Liberation Day", Fixed(5, 8)), ("Cyril and Methodius", Fixed(7, 5)), ("Jan Hus Day", Fixed(7, 6)), ("Statehood Day", Fixed(9, 28)), ("Independence Day", Fixed(10, 28)), ("Freedom Day", Fixed(11, 17)), CHRISTMAS_EVE, CHRISTMAS, BOXING]),
    ("DE", &[NEW_YEAR, GOOD_FRIDAY, EASTER_MONDAY, LABOUR, ASCENSION, WHIT_MONDAY, ("Unity Day", Fixed(10, 3)), CHRISTMAS, BOXING]),
    ("DK", &[NEW_YEAR, ("Maundy Thursday", Easter(-3)), GOOD_FRIDAY, EASTER_MONDAY, ASCENSION, WHIT_MONDAY, CHRISTMAS, BOXING]),
    ("ES", &[NEW_YEAR, EPIPHANY, GOOD_FRIDAY, LABOUR, ASSUMPTION, ("National Day", Fixed(10, 12)), ALL_SAINTS, ("Constitution Day", Fixed(12, 6)), IMMACULATE, CHRISTMAS]),
    ("FI", &[NEW_YEAR, EPIPHANY, GOOD_FRIDAY, EASTER_MONDAY, LABOUR, ASCENSION, ("Midsummer Eve", From(6, 19, Friday)), ("Midsummer Day", From(6, 20, Saturday)), ("All Saints' Day", From(10, 31, Saturday)), ("Independence Day", Fixed(12, 6)), CHRISTMAS_EVE, CHRISTMAS, BOXING]),
    ("FR", &[NEW_YEAR, EASTER_MONDAY, LABOUR, ("Victory Day", Fixed(5, 8)), ASCENSION, WHIT_MONDAY, ("Bastille Day", Fixed(7, 14)), ASSUMPTION, ALL_SAINTS, ("Armistice Day", Fixed(11, 11)), CHRISTMAS]),
    ("GB", &[NEW_YEAR, GOOD_FRIDAY, EASTER_MONDAY, ("Early May", Nth(5, Monday, 1)), ("Spring", Nth(5, Monday, -1)), ("Summer", Nth(8, Monday, -1)), CHRISTMAS, BOXING]),
    ("GR", &[NEW_YEAR, EPIPHANY, ("Clean Monday", Orthodox(-48)), ("Independence Day", Fixed(3, 25)), ("Good Friday", Orthodox(-2)), ("Easter Monday", Orthodox(1)), LABOUR, ("Whit Monday", Orthodox(50)), ASSUMPTION, ("Ohi Day", Fixed(10, 28)), CHRISTMAS, BOXING]),
    ("HU", &[NEW_YEAR, ("Revolution Day", Fixed(3, 15)), GOOD_FRIDAY, EASTER_MONDAY, LABOUR, WHIT_MONDAY, ("State Foundation", Fixed(8, 20)), ("Republic Day", Fixed(10, 23)), ALL_SAINTS, CHRISTMAS, BOXING]),
    ("IE", &[NEW_YEAR, ("Saint Patrick", Fixed(3, 17)), EASTER_MONDAY, ("May Day", Nth(5, Monday, 1)), ("June", Nth(6, Monday, 1)), ("August", Nth(8, Monday, 1)), ("October", Nth(10, Monday, -1)), CHRISTMAS, BOXING]),
    ("IT", &[NEW_YEAR, EPIPHANY, EASTER_MONDAY, ("Liberation Day", Fixed(4, 25)), LABOUR, ("Republic Day", Fixed(6, 2)), ASSUMPTION, ALL_SAINTS, IMMACULATE, CHRISTMAS, BOXING]),
    ("JP", &[NEW_YEAR, ("Coming of Age", Nth(1, Monday, 2)), ("Foundation Day", Fixed(2, 11)), ("Emperor's Birthday", Fixed(2, 23)), ("Vernal Equinox", Equinox(3)), ("Showa Day", Fixed(4, 29)), ("Constitution Day", Fixed(5, 3)), ("Greenery Day", Fixed(5, 4)), ("Children's Day", Fixed(5, 5)), ("Marine Day", Nth(7, Monday, 3)), ("Mountain Day", Fixed(8, 11)), ("Respect for the Aged", Nth(9, Monday, 3)), ("Autumnal Equinox", Equinox(9)), ("Sports Day", Nth(10, Monday, 2)), ("Culture Day", Fixed(11, 3)), ("Labour Thanksgiving", Fixed(11, 23))]),
    ("LU", &[NEW_YEAR, EASTER_MONDAY, LABOUR, ("Europe Day", Fixed(5, 9)), ASCENSION, WHIT_MONDAY, ("National Day", Fixed(6, 23)), ASSUMPTION, ALL_SAINTS, CHRISTMAS, BOXING]),
    ("MX", &[NEW_YEAR, ("Constitution Day", Nth(2, Monday, 1)), ("Juarez Day", Nth(3, Monday, 3)), LABOUR, ("Independence Day", Fixed(9, 16)), ("Revolution Day", Nth(11, Monday, 3)), CHRISTMAS]),
    ("NL", &[NEW_YEAR, EASTER_MONDAY, ("King's Day", Fixed(4, 27)), ASCENSION, WHIT_MONDAY, CHRISTMAS, BOXING]),
    ("NO", &[NEW_YEAR, ("Maundy Thursday", Easter(-3)), GOOD_FRIDAY, EASTER_MONDAY, LABOUR, ("Constitution Day", Fixed(5, 17)), ASCENSION, WHIT_MONDAY, CHRISTMAS, BOXING]),
    ("NZ", &[NEW_YEAR, ("Day after New Year", Fixed(1, 2)), ("Waitangi Day", Fixed(2, 6)), GOOD_FRIDAY, EASTER_MONDAY, ("Anzac Day", Fixed(4, 25)), ("King's Birthday", Nth(6, Monday, 1)), ("Labour Day", Nth(10, Monday, 4)), CHRISTMAS, BOXING]),
    ("PL", &[NEW_YEAR, EPIPHANY, EASTER_MONDAY, LABOUR, ("Constitution Day", Fixed(5, 3)), CORPUS_CHRISTI, ASSUMPTION, ALL_SAINTS, ("Independence Day", Fixed(11, 11)), CHRISTMAS, BOXING]),
    ("PT", &[NEW_YEAR, GOOD_FRIDAY, ("Freedom Day", Fixed(4, 25)), LABOUR, CORPUS_CHRISTI, ("Portugal Day", Fixed(6, 10)), ASSUMPTION, ("Republic Day", Fixed(10, 5)), ALL_SAINTS, ("Restoration Day", Fixed(12, 1)), IMMACULATE, CHRISTMAS]),
    ("SE", &[NEW_YEAR, EPIPHANY, GOOD_FRIDAY, EASTER_MONDAY, LABOUR, ASCENSION, ("National Day", Fixed(6, 6)), ("Midsummer Eve", From(6, 19, Friday)), ("Midsummer Day", From(6, 20, Saturday)), ("All Saints' Day", From(10, 31, Saturday)), CHRISTMAS_EVE, CHRISTMAS, BOXING, ("New Year's Eve", Fixed(12, 31))]),
    ("US", &[NEW_YEAR, ("Martin Luther King Day", Nth(1, Monday, 3)), ("Presidents' Day", Nth(2, Monday, 3)), ("Memorial Day", Nth(5, Monday, -1)), ("Juneteenth", Nearest(6, 19)), ("Independence Day", Fixed(7, 4)), ("Labor Day", Nth(9, Monday, 1)), ("Columbus Day", Nth(10, Monday, 2)), ("Veterans Day", Fixed(11, 11)), ("Thanksgiving", Nth(11, Thursday, 4)), CHRISTMAS]),
    ("ZA", &[NEW_YEAR, ("Human Rights Day", Fixed(3, 21)), GOOD_FRIDAY, ("Family Day", Easter(1)), ("Freedom Day", Fixed(4, 27)), LABOUR, ("Youth Day", Fixed(6, 16)), ("Women's Day", Fixed(8, 9)), ("Heritage Day", Fixed(9, 24)), ("Reconciliation Day", Fixed(12, 16)), CHRISTMAS, BOXING]),
];

const NEW_YEAR: Holiday = ("New Year", Fixed(1, 1));
const EPIPHANY: Holiday = ("Epiphany", Fixed(1, 6));
const GOOD_FRIDAY: Holiday = ("Good Friday", Easter(-2));
const EASTER_MONDAY: Holiday = ("Easter Monday", Easter(1));
const LABOUR: Holiday = ("Labour Day", Fixed(5, 1));
const ASCENSION: Holiday = ("Ascension", Easter(39));
const WHIT_MONDAY: Holiday = ("Whit Monday", Easter(50));
const CORPUS_CHRISTI: Holiday = ("Corpus Christi", Easter(60));
const ASSUMPTION: Holiday = ("Assumption", Fixed(8, 15));
const ALL_SAINTS: Holiday = ("All Saints", Fixed(11, 1));
const IMMACULATE: Holiday = ("Immaculate Conception", Fixed(12, 8));
const CHRISTMAS_EVE: Holiday = ("Christmas Eve", Fixed(12, 24));
const CHRISTMAS: Holiday = ("Christmas", Fixed(12, 25));
const BOXING: Holiday = ("Second day of Christmas", Fixed(12, 26));

/// The holidays of a country by its two letters.
pub(crate) fn holidays(country: &str) -> Option<&'static [Holiday]> {
    let found = COUNTRIES.iter().find(|(code, _)| code.eq_ignore_ascii_case(country));
    found.map(|(_, holidays)| *holidays)
}
