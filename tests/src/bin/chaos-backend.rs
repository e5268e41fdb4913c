//! The backend of the test with many processes.

fn main() -> anyhow::Result<()> {
    mbs_tests::chaos::backend::main()
}
