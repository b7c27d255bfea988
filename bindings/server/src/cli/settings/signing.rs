//! What `travelsense token` needs of the settings.

use std::path::PathBuf;

use super::Settings;
use crate::cli::failure::Failure;

/// The settings that signing a token needs.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Signing {
    /// The server's settings file
    #[arg(long, value_name = "FILE", env = "TRAVELSENSE_CONFIG")]
    config: Option<PathBuf>,
    /// The server's secret; other users of this machine can see flags, so prefer a file or the environment
    #[arg(
        long,
        visible_alias = "secret",
        value_name = "SECRET",
        env = "TRAVELSENSE_JWT_SECRET",
        hide_env_values = true
    )]
    jwt_secret: Option<String>,
    /// A file with the server's secret
    #[arg(
        long,
        visible_alias = "secret-file",
        value_name = "FILE",
        env = "TRAVELSENSE_JWT_SECRET_FILE"
    )]
    jwt_secret_file: Option<PathBuf>,
    /// Who issues the token [default: travelsense]
    #[arg(long, value_name = "NAME", env = "TRAVELSENSE_JWT_ISSUER")]
    jwt_issuer: Option<String>,
    /// Whom the token is for [default: travelsense]
    #[arg(long, value_name = "NAME", env = "TRAVELSENSE_JWT_AUDIENCE")]
    jwt_audience: Option<String>,
}

impl Signing {
    /// These and those of the file underneath.
    pub(in crate::cli) fn settings(self) -> Result<Settings, Failure> {
        let flags = Settings {
            config: self.config,
            jwt_secret: self.jwt_secret,
            jwt_secret_file: self.jwt_secret_file,
            jwt_issuer: self.jwt_issuer,
            jwt_audience: self.jwt_audience,
            ..Settings::default()
        };
        flags.with_file()
    }
}
