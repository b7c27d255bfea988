//! The server and the command line as their users meet them.

#[cfg(test)]
mod cli;
#[cfg(test)]
mod http;
#[cfg(test)]
mod tokens;
