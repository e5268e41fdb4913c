//! Small programs that embed the library; see the folder `examples/`.
