//! The Lambda resize-stream: wiring only.
