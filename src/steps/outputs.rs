//! What a step left, checked (R59).

use std::collections::BTreeMap;

use super::executor::{NotRead, StepLeft};
use super::text::StepText;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason::StepFailed;
use crate::domain::step::{Step, StepOutput};

/// An output holds at most this many bytes.
pub const LARGEST_OUTPUT: usize = 1 << 20;

/// Takes a step's declared outputs out of what it left.
pub(super) fn take(step: &Step, left: &StepLeft) -> Result<BTreeMap<String, StepText>, Vec<Diagnostic>> {
    let (mut taken, mut wrong) = (BTreeMap::new(), Vec::new());
    for output in &step.outputs {
        let path = &output.value_from_path;
        let bytes = left.outputs.get(path).cloned().unwrap_or(Err(NotRead::Missing));
        match bytes.map_err(|why| refusal(&why)).and_then(|bytes| text(output, bytes)) {
            Ok(text) => {
                taken.insert(output.name.clone(), StepText::new(text, output.sensitive));
            }
            Err(why) => {
                let message = format!("step `{}` left no usable output `{}`: `{path}` {why}", step.name, output.name);
                wrong.push(
                    Diagnostic::error(StepFailed, message)
                        .help("correct the script: it must write each declared output before it ends"),
                );
            }
        }
    }
    if wrong.is_empty() { Ok(taken) } else { Err(wrong) }
}

fn refusal(why: &NotRead) -> String {
    match why {
        NotRead::Missing => "is not there".to_owned(),
        NotRead::NotRegular(kind) => format!("is {kind}, not a regular file"),
        NotRead::TooLarge => format!("is larger than {LARGEST_OUTPUT} bytes"),
        NotRead::Unreadable(why) => format!("cannot be read: {why}"),
    }
}

/// The text of an output, as its declaration asks for it. No message holds any of it: it may be a secret.
fn text(output: &StepOutput, bytes: Vec<u8>) -> Result<String, String> {
    if bytes.len() > LARGEST_OUTPUT {
        return Err(refusal(&NotRead::TooLarge));
    }
    let mut text =
        String::from_utf8(bytes).map_err(|why| format!("is not UTF-8 from byte {} on", why.utf8_error().valid_up_to()))?;
    if output.trim && text.ends_with('\n') {
        text.pop();
    }
    output.meaning().read(&text).map(|_| text.clone()).map_err(|why| format!("is not what its `type` says: {why}"))
}
