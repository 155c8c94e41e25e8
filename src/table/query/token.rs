//! The text of a condition -> words, numbers and signs, each with its place.

use super::QueryError;

/// One piece of a condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A field or a word of the language.
    Word(String),
    /// A field in backticks, which is never a word of the language.
    Field(String),
    /// A text in quotes.
    Text(String),
    Number(f64),
    /// An operator, a bracket or a comma.
    Sign(&'static str),
}

/// The signs; longer ones before those that they begin with.
const SIGNS: [&str; 14] =
    ["==", "!=", "<>", "<=", ">=", "=", "<", ">", "~", "(", ")", "[", "]", ","];

/// The pieces of a condition, each with the place of its first character, counted from 0.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, QueryError> {
    let chars: Vec<char> = text.chars().collect();
    let (mut tokens, mut at) = (vec![], 0);
    while let Some(&c) = chars.get(at) {
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let (token, end) = match c {
            '"' | '\'' | '`' => quoted(&chars, at)?,
            _ if is_number(&chars, at) => number(&chars, at)?,
            _ if c.is_alphabetic() || c == '_' => word(&chars, at),
            _ => sign(&chars, at)?,
        };
        tokens.push((token, at));
        at = end;
    }
    Ok(tokens)
}

fn sign(chars: &[char], at: usize) -> Result<(Token, usize), QueryError> {
    let rest: String = chars[at..].iter().take(2).collect();
    let found = SIGNS.iter().find(|sign| rest.starts_with(**sign));
    let found = found.ok_or_else(|| {
        let hint = match chars[at] {
            '&' => "; write `and`",
            '|' => "; write `or`",
            '!' => "; write `not`, or `!=`",
            _ => "",
        };
        QueryError::new(at, format!("unexpected character `{}`{hint}", chars[at]))
    })?;
    Ok((Token::Sign(found), at + found.len()))
}

/// A text in quotes, in which a backslash keeps the next character; or a field in backticks.
fn quoted(chars: &[char], start: usize) -> Result<(Token, usize), QueryError> {
    let (quote, mut text, mut at) = (chars[start], String::new(), start + 1);
    while let Some(&c) = chars.get(at) {
        if c == quote {
            let token = if quote == '`' { Token::Field(text) } else { Token::Text(text) };
            return Ok((token, at + 1));
        }
        let is_escaped = c == '\\' && quote != '`';
        at += usize::from(is_escaped);
        text.extend(chars.get(at));
        at += 1;
    }
    Err(QueryError::new(start, format!("the quote {quote} is never closed")))
}

/// Whether a number begins here: a digit, perhaps after a sign or a point.
fn is_number(chars: &[char], at: usize) -> bool {
    let is_digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    let signed = at + usize::from(matches!(chars[at], '-' | '+'));
    is_digit(signed) || (chars.get(signed) == Some(&'.') && is_digit(signed + 1))
}

fn number(chars: &[char], start: usize) -> Result<(Token, usize), QueryError> {
    let mut end = start + 1;
    while let Some(&c) = chars.get(end) {
        let is_exponent_sign = matches!(c, '+' | '-') && matches!(chars[end - 1], 'e' | 'E');
        if !(c.is_alphanumeric() || c == '.' || c == '_' || is_exponent_sign) {
            break;
        }
        end += 1;
    }
    let text: String = chars[start..end].iter().collect();
    match text.replace('_', "").parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((Token::Number(number), end)),
        _ => Err(QueryError::new(start, format!("`{text}` is not a number; put texts in quotes"))),
    }
}

/// A field such as `model.cnn.blocks[0].filters`, or a word of the language.
fn word(chars: &[char], start: usize) -> (Token, usize) {
    let mut end = start;
    while let Some(&c) = chars.get(end) {
        if c.is_alphanumeric() || matches!(c, '_' | '.' | '-') {
            end += 1;
            continue;
        }
        let Some(index) = (c == '[').then(|| index(chars, end)).flatten() else { break };
        let text: String = chars[start..end].iter().collect();
        if text.eq_ignore_ascii_case("in") {
            break;
        }
        end = index;
    }
    (Token::Word(chars[start..end].iter().collect()), end)
}

/// The end of `[12]`.
fn index(chars: &[char], open: usize) -> Option<usize> {
    let n_digits = chars[open + 1..].iter().take_while(|c| c.is_ascii_digit()).count();
    let close = open + 1 + n_digits;
    (n_digits > 0 && chars.get(close) == Some(&']')).then_some(close + 1)
}
