//! `plan --explain`: where every value came from, and what it covered.

use std::fmt::Write as _;

use crate::domain::deployment::{Choice, Deployment, InputValue, ResolvedInput, ResolvedSlot, Via};
use crate::domain::names::{Alias, InputName, SlotName};
use crate::domain::visible::visible;

/// What a row explains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An input.
    Input(InputName),
    /// A slot.
    Slot(SlotName),
}

/// One input or slot, explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The applied plugin.
    pub alias: Alias,
    /// Its input or slot.
    pub subject: Subject,
    /// The value as compact JSON, or the connection's address.
    pub value: String,
    /// Where it came from.
    pub source: String,
    /// What else there was, strongest first: covered values of an input, the other candidates of a slot.
    pub considered: Vec<String>,
}

/// Explains every input and slot of a deployment, by alias, inputs first.
pub fn explain(deployment: &Deployment) -> Vec<Row> {
    let rows = deployment.plugins.iter().flat_map(|(alias, plugin)| {
        let inputs = plugin.inputs.iter().map(|(name, input)| input_row(alias, name, input));
        inputs.chain(plugin.slots.iter().map(|(name, slot)| slot_row(alias, name, slot)))
    });
    rows.collect()
}

fn input_row(alias: &Alias, name: &InputName, input: &ResolvedInput) -> Row {
    let (value, source) = match &input.value {
        InputValue::Plain(value) => (value.to_string(), input.layer.to_string()),
        InputValue::Sensitive => ("(sensitive)".to_owned(), "secrets".to_owned()),
    };
    let considered = input.covered.iter().map(|(layer, value)| format!("{layer}: {value}")).collect();
    Row { alias: alias.clone(), subject: Subject::Input(name.clone()), value, source, considered }
}

fn slot_row(alias: &Alias, name: &SlotName, slot: &ResolvedSlot) -> Row {
    let (value, source) = match &slot.choice {
        // A default may lead to an output of the same deployable.
        Choice::Link { alias, output } => (format!("{alias}.{output}"), declared(slot).unwrap_or(Via::Link).to_string()),
        Choice::Connection(chosen) => {
            (format!("{} (generation {})", chosen.record.address, chosen.record.generation), chosen.via.to_string())
        }
        Choice::Pending { address, via } => (format!("{address} (pending)"), via.to_string()),
        Choice::Unset => ("(unset)".to_owned(), "optional".to_owned()),
    };
    let considered = slot.considered.iter().map(|candidate| match &candidate.address {
        Some(address) => format!("{} {address}: {}", candidate.via, candidate.verdict),
        None => format!("{}: {}", candidate.via, candidate.verdict),
    });
    Row { alias: alias.clone(), subject: Subject::Slot(name.clone()), value, source, considered: considered.collect() }
}

fn declared(slot: &ResolvedSlot) -> Option<Via> {
    slot.considered.iter().find(|candidate| candidate.address.is_some()).map(|candidate| candidate.via)
}

/// The rows as indented text.
pub fn to_text(rows: &[Row]) -> String {
    let mut text = String::new();
    let mut last = None;
    for row in rows {
        if last != Some(&row.alias) {
            let _ = writeln!(text, "{}", row.alias);
            last = Some(&row.alias);
        }
        let (what, name) = match &row.subject {
            Subject::Input(name) => ("input", name.as_str()),
            Subject::Slot(name) => ("slot", name.as_str()),
        };
        let _ = writeln!(text, "  {what} {name} = {} ({})", visible(&row.value), visible(&row.source));
        for other in &row.considered {
            let _ = writeln!(text, "    {}", visible(other));
        }
    }
    text
}
