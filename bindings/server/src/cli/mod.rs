//! The command line: one file a command. Each reads its flags, asks the core or the server, and writes.

mod adoption;
mod alerts;
mod audit;
mod compare;
mod config;
mod demo;
mod doctor;
mod dropoff;
mod engagement;
mod explain;
mod failure;
mod follow;
mod funnel;
mod import;
mod journey;
mod memory;
mod models;
mod output;
mod preflight;
mod progress;
mod question;
mod retention;
mod serve;
mod settings;
mod store;
mod table;
mod token;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use travelsense::{Instant, Zone};

use failure::Failure;

/// Behavioural analytics with numbers that can be trusted: funnels, retention and real-time metrics over one file of events.
#[derive(Debug, Parser)]
#[command(name = "travelsense", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Import(import::Import),
    Funnel(funnel::Funnel),
    Retention(retention::Retention),
    Journey(journey::Journey),
    Engagement(engagement::Engagement),
    Adoption(adoption::Adoption),
    DropOff(dropoff::DropOff),
    Compare(compare::Compare),
    Explain(explain::Explain),
    Token(token::Token),
    Audit(audit::Audit),
    Config(config::Config),
    Alerts(alerts::Alerts),
    Doctor(doctor::Doctor),
    Models(models::Models),
    Feedback(models::Feedback),
    #[command(hide = true)]
    Preflight(preflight::Preflight),
}

/// The whole command line. Examples in its help ask of the days that a demo made today has.
fn command() -> clap::Command {
    let zone = Zone::default();
    let day = |back: i64| {
        let then = token::now().micros() - back * 86_400_000_000;
        zone.day(Instant::saturating_from_micros(then)).to_string()
    };
    let dated = |text: String| {
        text.replace("QUARTER_AGO", &day(84))
            .replace("MONTH_AGO", &day(30))
            .replace("YESTERDAY", &day(1))
    };
    Cli::command().mut_subcommands(|command| {
        match command.get_after_help().map(ToString::to_string) {
            Some(text) => command.after_help(dated(text)),
            None => command,
        }
    })
}

/// Runs the command line of this process.
///
/// The exit code is 0 for success, 2 for input that is not valid, 1 for everything else.
pub fn main() -> ExitCode {
    memory::share();
    let matches = command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let done = match cli.command {
        Command::Demo(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Import(command) => command.run(),
        Command::Funnel(command) => command.run(),
        Command::Retention(command) => command.run(),
        Command::Journey(command) => command.run(),
        Command::Engagement(command) => command.run(),
        Command::Adoption(command) => command.run(),
        Command::DropOff(command) => command.run(),
        Command::Compare(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::Token(command) => command.run(),
        Command::Audit(command) => command.run(),
        Command::Config(command) => match matches.subcommand_matches("config") {
            Some(matches) => command.run(matches),
            None => Err(Failure::failed("the flags cannot be told apart")),
        },
        Command::Alerts(command) => command.run(),
        Command::Doctor(command) => command.run(),
        Command::Models(command) => command.run(),
        Command::Feedback(command) => command.run(),
        Command::Preflight(command) => return command.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

type Outcome = std::result::Result<(), Failure>;
