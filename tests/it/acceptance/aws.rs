//! The example for AWS, with the real provider.
