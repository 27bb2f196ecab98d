//! jq programs on public values: what a connection offers, and the variables of an application.
