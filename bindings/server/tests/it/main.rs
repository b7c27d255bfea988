//! The server and the command line as their users meet them.

#[cfg(test)]
mod access;
#[cfg(test)]
mod alerts;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod client;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod dashboards;
#[cfg(all(test, target_os = "linux"))]
mod disk;
#[cfg(test)]
mod export;
#[cfg(test)]
mod help;
#[cfg(test)]
mod hosted;
#[cfg(test)]
mod http;
#[cfg(test)]
mod ingest;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod models;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod parameters;
#[cfg(test)]
mod person;
#[cfg(test)]
mod predictive;
#[cfg(test)]
mod program;
#[cfg(test)]
mod record;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod services;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod session;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod specification;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod ui;
