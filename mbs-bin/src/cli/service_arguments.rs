//! The arguments that stand before the command: which service, and who we are there.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Which service commands talk to, and who we are there.
#[derive(Debug, Args)]
#[command(next_help_heading = "The service (these stand before the command)")]
pub struct ServiceArguments {
    /// Do not verify TLS certificates
    #[arg(short = 'k', long = "insecure")]
    pub insecure: bool,
    /// The module build service: scheme and host[:port]
    #[arg(
        short = 's',
        value_name = "SERVER",
        env = "MBS_SERVER",
        default_value = "https://mbs.fedoraproject.org"
    )]
    pub server: String,
    /// The OpenID Connect provider, a URL that ends in a slash
    #[arg(
        short = 'i',
        value_name = "IDPROVIDER",
        env = "MBS_IDPROVIDER",
        default_value = "https://id.fedoraproject.org/openidc/"
    )]
    pub idprovider: String,
    /// The dist-git client that is asked for the git URL
    #[arg(short = 'p', value_name = "CLIENT", default_value = "fedpkg")]
    pub client: String,
    /// How to log in [default: as the service says]
    #[arg(long, value_name = "METHOD", env = "MBS_LOGIN")]
    pub login: Option<LoginMethod>,
    /// A file with a bearer token, which nobody else may read
    #[arg(long, value_name = "FILE", env = "MBS_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// What the provider calls this program
    #[arg(long, value_name = "ID", env = "MBS_OIDC_CLIENT_ID", default_value = "mbs-authorizer")]
    pub oidc_client_id: String,
    /// What a token of the provider has to be good for
    #[arg(
        long,
        value_name = "SCOPES",
        env = "MBS_OIDC_SCOPES",
        value_delimiter = ',',
        default_value = "openid,https://id.fedoraproject.org/scope/groups,\
                         https://mbs.fedoraproject.org/oidc/submit-build"
    )]
    pub oidc_scopes: Vec<String>,
    /// Where people look at tasks of Koji
    #[arg(
        long,
        value_name = "URL",
        env = "MBS_KOJI_WEB",
        default_value = "https://koji.fedoraproject.org/koji"
    )]
    pub koji_web: String,
}

/// How to show the service who we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LoginMethod {
    /// Not at all: the service lets everybody in
    None,
    /// By the token of --token-file
    Token,
    /// By a token of the provider, from a browser
    Oidc,
    /// By a Kerberos ticket
    Kerberos,
}
