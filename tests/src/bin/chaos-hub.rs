//! The build system and bus of the test with many processes.

fn main() -> anyhow::Result<()> {
    mbs_tests::chaos::hub::main()
}
