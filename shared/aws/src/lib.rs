//! Weir's ports on the AWS SDKs.
