//! From the queue to the receiver.
