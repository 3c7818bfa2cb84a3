// What somebody who meets weft waits for: compilers, mostly. measure.sh does the work.
//
// The times are CPU seconds where one process works, so that a busy machine changes them little; GoogleTest's
// and Boost.Fiber's headers beside weft's say how fast the machine is.
#include <string>
#include <vector>

#include "support/child.hpp"
#include "support/figure.hpp"

namespace {

using namespace weft::bench;

std::vector<std::string> command(const std::string& what, const std::string& argument = {}) {
  std::vector<std::string> all{WEFT_SOURCE "/bench/first_contact/measure.sh", what};
  if (!argument.empty()) all.push_back(argument);
  return all;
}

const std::vector<std::string> settings{"WEFT_SOURCE=" WEFT_SOURCE, "WEFT_BUILD=" WEFT_BUILD, "CXX=" WEFT_CXX,
                                        "CC=" WEFT_CC};

measurement of(const std::string& what, const std::string& argument = {}) {
  return [=] { return number_from(command(what, argument), settings); };
}

std::string slowest;

const add umbrella{{.group = "first-contact",
                    .name = "weft/weft.hpp alone, -O0",
                    .unit = "s CPU",
                    .ours = of("header", "weft/weft.hpp"),
                    .target = at_most(1.5),
                    .more = {{"gtest/gtest.h", of("header", "gtest/gtest.h")},
                             {"boost/fiber/all.hpp", of("header", "boost/fiber/all.hpp")}},
                    .warm_up = false}};

const add narrow{{.group = "first-contact",
                  .name = "its slowest narrow header, -O0",
                  .unit = "s CPU",
                  .ours = [] { return of("header", slowest)(); },
                  .target = at_most(0.8),
                  .warm_up = false,
                  .before = [] { slowest = text_from(command("slowest_header"), settings); }}};

const add hello{{.group = "first-contact",
                 .name = "hello of the README, compiled and linked",
                 .unit = "s CPU",
                 .ours = of("hello"),
                 .target = at_most(3),
                 .warm_up = false}};

const add static_hello{{.group = "first-contact",
                        .name = "hello with weft and libstdc++ in it, stripped",
                        .unit = "MiB",
                        .ours = of("static_hello"),
                        .target = at_most(2),
                        .warm_up = false,
                        .once = true}};

const add library{{.group = "first-contact",
                   .name = "all libraries, no cache",
                   .unit = "s",
                   .ours = of("library"),
                   .target = at_most(120),
                   .warm_up = false,
                   .once = true}};

const add demo{{.group = "first-contact",
                .name = "clone to ./dev demo finished, no cache",
                .unit = "s",
                .ours = of("demo"),
                .target = at_most(240),
                .warm_up = false,
                .once = true}};

}  // namespace
