//! The server and the command line as their users meet them.

mod cli;
mod http;
mod tokens;
