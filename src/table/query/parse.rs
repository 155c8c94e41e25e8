//! The pieces of a condition -> what it asks.

use super::token::{Token, tokens};
use super::{Literal, QueryError};

/// A field, and where it is named.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) at: usize,
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Field(Field),
    Literal(Literal, usize),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    fn of(sign: &str) -> Option<Self> {
        Some(match sign {
            "=" | "==" => Self::Equal,
            "!=" | "<>" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    /// The same with its sides exchanged.
    fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }
}

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    Or(Box<[Condition; 2]>),
    And(Box<[Condition; 2]>),
    Not(Box<Condition>),
    /// A field of yes or no.
    Holds(Field),
    Compared(Field, Comparison, Operand),
    /// Whether a value is one of a list.
    In(Field, Vec<(Literal, usize)>),
    /// Whether a text contains another, or a list has an item. With the sign `~`, whether an item
    /// contains the text.
    Contains {
        field: Field,
        value: Literal,
        at: usize,
        is_within_items: bool,
    },
    Missing(Field),
}

/// Reads a condition.
pub(super) fn parse(text: &str) -> Result<Condition, QueryError> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, end: text.chars().count() };
    if parser.tokens.is_empty() {
        return Err(QueryError::new(0, "expected a condition, found nothing".to_owned()));
    }
    let condition = parser.alternatives()?;
    match parser.peek() {
        None => Ok(condition),
        Some(Token::Sign(sign)) if Comparison::of(sign).is_some() => {
            Err(parser.unexpected("comparisons can't be chained: join two with `and`"))
        }
        Some(_) => Err(parser.unexpected("expected `and`, `or` or the end")),
    }
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    next: usize,
    /// The place behind the last character.
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    fn place(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(_, at)| *at)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
    }

    fn skip_word(&mut self, word: &str) -> bool {
        let is_it = self.is_word(word);
        self.next += usize::from(is_it);
        is_it
    }

    fn skip_sign(&mut self, sign: &'static str) -> bool {
        let is_it = self.peek() == Some(&Token::Sign(sign));
        self.next += usize::from(is_it);
        is_it
    }

    fn unexpected(&self, expected: &str) -> QueryError {
        let found = match self.peek() {
            None => "the end".to_owned(),
            Some(Token::Word(word) | Token::Field(word)) => format!("`{word}`"),
            Some(Token::Text(text)) => format!("the text \"{text}\""),
            Some(Token::Number(number)) => format!("the number {number}"),
            Some(Token::Sign(sign)) => format!("`{sign}`"),
        };
        QueryError::new(self.place(), format!("{expected}, found {found}"))
    }

    fn alternatives(&mut self) -> Result<Condition, QueryError> {
        let mut condition = self.all_of()?;
        while self.skip_word("or") {
            condition = Condition::Or(Box::new([condition, self.all_of()?]));
        }
        Ok(condition)
    }

    fn all_of(&mut self) -> Result<Condition, QueryError> {
        let mut condition = self.one()?;
        while self.skip_word("and") {
            condition = Condition::And(Box::new([condition, self.one()?]));
        }
        Ok(condition)
    }

    fn one(&mut self) -> Result<Condition, QueryError> {
        if self.skip_word("not") {
            return Ok(Condition::Not(Box::new(self.one()?)));
        }
        if self.skip_sign("(") {
            let condition = self.alternatives()?;
            if !self.skip_sign(")") {
                return Err(self.unexpected("expected `)`"));
            }
            return Ok(condition);
        }
        let left = self.operand()?;
        if let Some(Token::Sign(sign)) = self.peek()
            && let Some(comparison) = Comparison::of(sign)
        {
            self.next += 1;
            let right = self.operand()?;
            return match (left, right) {
                (Operand::Field(field), right) => Ok(Condition::Compared(field, comparison, right)),
                (left @ Operand::Literal(..), Operand::Field(field)) => {
                    Ok(Condition::Compared(field, comparison.turned(), left))
                }
                (Operand::Literal(_, at), Operand::Literal(..)) => Err(QueryError::new(
                    at,
                    "a comparison needs a field on one side; encore runs show RUN lists the fields"
                        .to_owned(),
                )),
            };
        }
        match left {
            Operand::Field(field) => self.about(field),
            Operand::Literal(_, at) => {
                Err(QueryError::new(at, "expected a field, found a value".to_owned()))
            }
        }
    }

    /// What is asked of a field, except a comparison.
    fn about(&mut self, field: Field) -> Result<Condition, QueryError> {
        let is_negated = self.is_word("not");
        self.next += usize::from(is_negated);
        let negated = |condition: Condition| {
            if is_negated { Condition::Not(Box::new(condition)) } else { condition }
        };
        if self.skip_word("in") {
            return Ok(negated(Condition::In(field, self.list()?)));
        }
        let is_sign = !is_negated && self.skip_sign("~");
        if is_sign || self.skip_word("contains") {
            let at = self.place();
            let Operand::Literal(value, at) = self.operand()? else {
                let message = "expected a value; put texts in quotes";
                return Err(QueryError::new(at, message.to_owned()));
            };
            if is_sign && !matches!(value, Literal::Text(_)) {
                return Err(QueryError::new(at, "expected a text in quotes after `~`".to_owned()));
            }
            let contains = Condition::Contains { field, value, at, is_within_items: is_sign };
            return Ok(negated(contains));
        }
        if is_negated {
            return Err(self.unexpected("expected `in` or `contains` after `not`"));
        }
        if self.skip_word("is") {
            let is_there = self.skip_word("not");
            if !self.skip_word("missing") {
                return Err(self.unexpected("expected `missing` or `not missing` after `is`"));
            }
            let missing = Condition::Missing(field);
            return Ok(if is_there { Condition::Not(Box::new(missing)) } else { missing });
        }
        Ok(Condition::Holds(field))
    }

    /// `[1, 2]` or `(1, 2)`.
    fn list(&mut self) -> Result<Vec<(Literal, usize)>, QueryError> {
        let end = match self.peek() {
            Some(Token::Sign("[")) => "]",
            Some(Token::Sign("(")) => ")",
            _ => return Err(self.unexpected("expected a list such as [1, 2] after `in`")),
        };
        self.next += 1;
        let mut values = vec![];
        while !self.skip_sign(end) {
            let at = self.place();
            match self.operand()? {
                Operand::Literal(value, at) => values.push((value, at)),
                Operand::Field(_) => {
                    let message = "expected a value in the list; put texts in quotes";
                    return Err(QueryError::new(at, message.to_owned()));
                }
            }
            if !self.skip_sign(",") && self.peek() != Some(&Token::Sign(end)) {
                return Err(self.unexpected(&format!("expected `,` or `{end}`")));
            }
        }
        Ok(values)
    }

    fn operand(&mut self) -> Result<Operand, QueryError> {
        const KEYWORDS: [&str; 7] = ["and", "or", "not", "in", "contains", "is", "missing"];
        let at = self.place();
        let operand = match self.peek() {
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("true") => {
                Operand::Literal(Literal::Flag(true), at)
            }
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("false") => {
                Operand::Literal(Literal::Flag(false), at)
            }
            Some(Token::Word(word))
                if !KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword)) =>
            {
                Operand::Field(Field { name: word.clone(), at })
            }
            Some(Token::Field(name)) => Operand::Field(Field { name: name.clone(), at }),
            Some(Token::Number(number)) => Operand::Literal(Literal::Number(*number), at),
            Some(Token::Text(text)) => Operand::Literal(Literal::Text(text.clone()), at),
            _ => return Err(self.unexpected("expected a field or a value")),
        };
        self.next += 1;
        Ok(operand)
    }
}
