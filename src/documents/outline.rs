//! The shape of a YAML text with the place of everything in it, and what YAML allows but documents do not.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput, Tag};

/// How deep mappings and lists may be nested, aliases expanded.
const DEEPEST: usize = 64;
/// How many values aliases may stand for in all.
const MOST_ALIASED: usize = 50_000;

/// A value's place and what is below it.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    /// Whether it is written over lines by indentation.
    pub(super) indented: bool,
    pub(super) content: Content,
    extent: Extent,
}

/// What is below a value.
#[derive(Debug)]
pub(super) enum Content {
    Leaf,
    List(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// An entry of a mapping.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Span,
    pub(super) value: Node,
}

/// How much a value holds, aliases expanded.
#[derive(Debug, Clone, Copy)]
struct Extent {
    values: usize,
    height: usize,
}

/// Something that is not allowed, and where.
#[derive(Debug)]
pub(super) struct Flaw {
    pub(super) at: Marker,
    pub(super) message: String,
    pub(super) help: Option<&'static str>,
}

impl Flaw {
    fn new(at: Marker, message: impl Into<String>, help: &'static str) -> Self {
        Self { at, message: message.into(), help: Some(help) }
    }
}

/// Reads the outline of a text. Flaws that do not hide what follows are gathered beside it.
///
/// # Errors
/// The flaw that stopped the reading, after those found before it.
pub(super) fn outline(text: &str) -> Result<(Node, Vec<Flaw>), Vec<Flaw>> {
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: BTreeMap::new(), aliased: 0, flaws: Vec::new() };
    match reader.document() {
        Ok(root) => Ok((root, reader.flaws)),
        Err(flaw) => {
            reader.flaws.push(flaw);
            Err(reader.flaws)
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: BTreeMap<usize, Extent>,
    aliased: usize,
    flaws: Vec<Flaw>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Flaw> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) if error.info().contains("recursion limit") => Err(too_deep(*error.marker())),
            Some(Err(error)) => {
                Err(Flaw { at: *error.marker(), message: format!("not valid YAML: {}", error.info()), help: None })
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn document(&mut self) -> Result<Node, Flaw> {
        const EMPTY: &str = "write the document, starting with `apiVersion` and `kind`";
        let mut next = self.next()?;
        while matches!(next.0, Event::StreamStart | Event::DocumentStart(_)) {
            next = self.next()?;
        }
        if matches!(next.0, Event::StreamEnd | Event::DocumentEnd) {
            return Err(Flaw::new(Marker::new(0, 1, 0), "the document is empty", EMPTY));
        }
        let root = self.node(next, 0)?;
        loop {
            match self.next()? {
                (Event::DocumentEnd, _) => {}
                (Event::StreamEnd, _) => return Ok(root),
                (_, span) => {
                    return Err(Flaw::new(
                        span.start,
                        "a second document in one file",
                        "put each document into a file of its own",
                    ));
                }
            }
        }
    }

    fn node(&mut self, (event, span): (Event<'a>, Span), depth: usize) -> Result<Node, Flaw> {
        if depth > DEEPEST {
            return Err(too_deep(span.start));
        }
        match event {
            Event::Alias(anchor) => self.alias(anchor, span, depth),
            Event::Scalar(_, _, anchor, tag) => {
                self.check_tag(tag.as_deref(), span);
                Ok(self.close(anchor, span, Content::Leaf, Extent { values: 1, height: 0 }))
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), span);
                self.list(anchor, span, depth)
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), span);
                self.mapping(anchor, span, depth)
            }
            _ => Err(Flaw { at: span.start, message: "not valid YAML: a value is missing here".to_owned(), help: None }),
        }
    }

    fn list(&mut self, anchor: usize, start: Span, depth: usize) -> Result<Node, Flaw> {
        let mut items: Vec<Node> = Vec::new();
        let mut extent = Extent { values: 1, height: 0 };
        loop {
            let next = self.next()?;
            if matches!(next.0, Event::SequenceEnd) {
                let end = end_of(next.1, items.last().map(|item| item.span.end), start.start);
                let list = self.close(anchor, Span::new(start.start, end), Content::List(items), extent);
                return Ok(Node { indented: start.is_empty(), ..list });
            }
            let item = self.node(next, depth + 1)?;
            extent = extent.holding(item.extent);
            items.push(item);
        }
    }

    fn mapping(&mut self, anchor: usize, start: Span, depth: usize) -> Result<Node, Flaw> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        let mut extent = Extent { values: 1, height: 0 };
        loop {
            let (event, key_span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                let end = end_of(key_span, entries.last().map(|entry| entry.value.span.end), start.start);
                let mapping = self.close(anchor, Span::new(start.start, end), Content::Mapping(entries), extent);
                return Ok(Node { indented: start.is_empty(), ..mapping });
            }
            let key = self.key(event, key_span, depth)?;
            if let Some(key) = &key
                && let Some(line) = lines.insert(key.clone(), key_span.start.line())
            {
                let message = format!("the key `{key}` is there twice; the first is on line {line}");
                self.flaws.push(Flaw::new(key_span.start, message, "keep one of the two"));
            }
            let next = self.next()?;
            let value = self.node(next, depth + 1)?;
            extent = extent.holding(value.extent);
            entries.push(Entry { key: key.unwrap_or_default(), key_span, value });
        }
    }

    /// The text of a key; none for one that is no text, which is a flaw.
    fn key(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Option<String>, Flaw> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.check_tag(tag.as_deref(), span);
                self.close(anchor, span, Content::Leaf, Extent { values: 1, height: 0 });
                if style == ScalarStyle::Plain && text == "<<" {
                    let message = "merge keys (`<<`) are not supported";
                    self.flaws.push(Flaw::new(span.start, message, "write the entries out, or alias the whole value"));
                }
                Ok(Some(text.into_owned()))
            }
            other => {
                self.flaws.push(Flaw::new(span.start, "a key must be text", "write the key out as plain text"));
                self.node((other, span), depth + 1)?;
                Ok(None)
            }
        }
    }

    fn alias(&mut self, anchor: usize, span: Span, depth: usize) -> Result<Node, Flaw> {
        // An anchor is known once its value is over.
        let Some(&extent) = self.anchors.get(&anchor) else {
            return Err(Flaw::new(span.start, "an anchor whose value contains itself", "write the value out"));
        };
        self.aliased = self.aliased.saturating_add(extent.values);
        if self.aliased > MOST_ALIASED {
            let message = format!("aliases stand for more than {MOST_ALIASED} values");
            return Err(Flaw::new(span.start, message, "use fewer aliases, or aliases of smaller values"));
        }
        if depth + extent.height > DEEPEST {
            return Err(too_deep(span.start));
        }
        Ok(Node { span, indented: false, content: Content::Leaf, extent })
    }

    fn check_tag(&mut self, tag: Option<&Tag>, span: Span) {
        const KNOWN: [&str; 7] = ["str", "int", "float", "bool", "null", "seq", "map"];
        if let Some(tag) = tag
            && !(tag.is_yaml_core_schema() && KNOWN.contains(&tag.suffix.as_str()))
        {
            let message = format!("the tag `{}{}` is not supported", tag.handle, tag.suffix);
            self.flaws.push(Flaw::new(span.start, message, "remove the tag"));
        }
    }

    fn close(&mut self, anchor: usize, span: Span, content: Content, extent: Extent) -> Node {
        if anchor != 0 {
            self.anchors.insert(anchor, extent);
        }
        Node { span, indented: false, content, extent }
    }
}

impl Extent {
    fn holding(self, below: Self) -> Self {
        Self { values: self.values.saturating_add(below.values), height: self.height.max(below.height + 1) }
    }
}

fn too_deep(at: Marker) -> Flaw {
    Flaw::new(at, format!("nested deeper than {DEEPEST} levels"), "make the document flatter")
}

/// Where a collection ends: at its bracket, or with its last value, because the event of an indented one comes only with what
/// follows it.
fn end_of(event: Span, last: Option<Marker>, start: Marker) -> Marker {
    if event.is_empty() { last.unwrap_or(start) } else { event.end }
}
