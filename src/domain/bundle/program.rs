//! jq programs, parsed with care: what a hostile one could do to the parser is refused before it is asked.

use jaq_core::load::lex::{Lexer, StrPart, Tok, Token};
use jaq_core::load::parse::{Parser, Term};

/// The longest program, in bytes.
const LONGEST: usize = 32 * 1024;
/// How deep brackets may be nested.
const DEEPEST: usize = 48;
/// How many tokens a program may have that open something the parser goes down into.
const MOST_OPENING: usize = 300;

/// Parses a program.
///
/// # Errors
/// When it is no program, or larger than any that makes values of a plugin.
pub fn parse(program: &str) -> Result<Term<&str>, String> {
    if program.len() > LONGEST {
        return Err(format!("the program is longer than {LONGEST} bytes"));
    }
    if depth(program) > DEEPEST {
        return Err(format!("the program nests brackets deeper than {DEEPEST}"));
    }
    let tokens = Lexer::new(program).lex().map_err(|errors| match errors.first() {
        Some((_, rest)) if !rest.trim().is_empty() => format!("it is no jq program: {} is not expected", near(rest)),
        _ => "it is no jq program: it ends too early".to_owned(),
    })?;
    if tokens.iter().map(opening).sum::<usize>() > MOST_OPENING {
        return Err("the program has too many operators".to_owned());
    }
    Parser::new(&tokens).parse(Parser::term).map_err(|errors| match errors.first() {
        Some((_, Some(token))) => format!("it is no jq program: {} is not expected", near(token.0)),
        _ => "it is no jq program: it ends too early".to_owned(),
    })
}

/// A piece of a program, short enough for a message.
fn near(text: &str) -> String {
    let first: String = text.trim().chars().take(20).collect();
    format!("`{}`", first.replace(['\n', '\r'], " "))
}

/// How deep brackets are nested, texts and comments counted as if they were none.
fn depth(program: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for c in program.bytes() {
        match c {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// How many tokens in `token` make the parser call itself.
fn opening(token: &Token<&str>) -> usize {
    let own = match token {
        Token(text, Tok::Word) => {
            matches!(*text, "if" | "elif" | "try" | "catch" | "def" | "label" | "reduce" | "foreach" | "as" | "and" | "or")
        }
        Token(text, Tok::Sym) => matches!(*text, "-" | "|" | "=" | "|=" | "+=" | "-=" | "*=" | "/=" | "%=" | "//=" | "//" | ","),
        _ => false,
    };
    let inside = match &token.1 {
        Tok::Block(tokens) => tokens.iter().map(opening).sum(),
        Tok::Str(parts) => parts
            .iter()
            .map(|part| match part {
                StrPart::Term(token) => opening(token),
                _ => 0,
            })
            .sum(),
        _ => 0,
    };
    usize::from(own) + inside
}

/// The text of a term that is a plain text.
pub fn literal(term: &Term<&str>) -> Option<String> {
    match term {
        Term::Str(None, parts) => parts
            .iter()
            .map(|part| match part {
                StrPart::Str(text) => Some((*text).to_owned()),
                StrPart::Char(c) => Some(c.to_string()),
                StrPart::Term(_) => None,
            })
            .collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_would_exhaust_the_parser_are_refused() {
        for hostile in ["[".repeat(5000), "-".repeat(3000), "if ".repeat(3000), ".|".repeat(3000), "\"\\(".repeat(3000)] {
            assert!(parse(&hostile).is_err());
        }
        assert!(parse("{a: .b | tostring}").is_ok());
        assert_eq!(parse("{a: ").unwrap_err(), "it is no jq program: it ends too early");
        assert_eq!(parse("{a: }").unwrap_err(), "it is no jq program: `}` is not expected");
        assert_eq!(parse(". §").unwrap_err(), "it is no jq program: `§` is not expected");
    }
}
