#pragma once

namespace weft::inline v1::cli {

/// The `weft` command: reads the arguments, does what they say, gives the exit status: 0 done,
/// 1 the work failed, 2 wrong usage. Runs on a plain thread, outside weft::run.
int main(int argc, char** argv);

}  // namespace weft::inline v1::cli
