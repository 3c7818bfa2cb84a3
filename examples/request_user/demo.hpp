#pragma once

#include <string>

namespace notes {

/// Is `url` asked by many users at once, and looks at each answer and log record. 0: nothing was mixed.
int run_demo(const std::string& url);

}  // namespace notes
