//! The Koji hub of the test of the whole service.

fn main() -> anyhow::Result<()> {
    mbs_tests::service::hub::main()
}
