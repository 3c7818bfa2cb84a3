#pragma once

namespace weft::inline v1::workers {

/// How the workers of this very program are made.
enum class start_mode : unsigned char {
  automatic,  ///< by the fork server of weft::main where there is one, else by exec
  fork,       ///< by the fork server only; an error where there is none
  exec,       ///< each is this program started anew
};

}  // namespace weft::inline v1::workers
