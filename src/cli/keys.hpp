#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/jobs/key_use.hpp>

namespace weft::inline v1::cli {

// `weft keys`: makes and changes key files (wire::key_file). Each command gives the exit status: 0, 1 where
// it could not be done or something is wrong. No secret is ever printed.

/// A key as `weft keys list` shows it.
struct listed_key {
  std::string id;
  std::string use;      ///< "signs", "verifies" or "retired"
  std::string created;  ///< a date; empty where the file does not say
  std::string retired;  ///< a date, of a retired one
  std::optional<std::int64_t> age_seconds;
};
WEFT_DESCRIBE(listed_key, id, use, created, retired, age_seconds);

/// What `weft keys check` found.
struct keys_report {
  int schema = 1;
  std::string file;
  std::vector<listed_key> keys;
  std::vector<jobs::key_use> uses;    ///< of the jobs in a store
  std::vector<std::string> problems;  ///< none: all is well
};
WEFT_DESCRIBE(keys_report, schema, file, keys, uses, problems);

struct keys_options {
  std::string file;
  std::string id;                            ///< of the new key (empty: its date), or of the one to retire
  std::string to;                            ///< rotate: make this one sign, instead of a new key
  bool verify_only = false;                  ///< rotate: the new key does not sign yet
  std::string store;                         ///< URL of a store whose jobs are counted; empty: none
  bool force = false;                        ///< retire: also where jobs need it
  std::optional<std::chrono::days> age_max;  ///< check: the signer may be so old
  bool as_json = false;
};

int run_keys_generate(const keys_options& options);
int run_keys_list(const keys_options& options);
int run_keys_rotate(const keys_options& options);
int run_keys_retire(const keys_options& options);
int run_keys_check(const keys_options& options);

}  // namespace weft::inline v1::cli
