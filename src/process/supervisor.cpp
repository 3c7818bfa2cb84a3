#include <weft/process/supervisor.hpp>

#include <utility>

#include "process/supervisor_state.hpp"

namespace weft::inline v1::process {

supervisor::supervisor(supervisor_options options, std::function<int(supervised&)> body)
    : state_(std::make_unique<detail::supervisor_state>(
          std::move(options), [work = std::move(body)](std::size_t number, unique_fd line) {
            supervised me(number, std::move(line));
            return work(me);
          })) {}

supervisor::~supervisor() = default;

int supervisor::run() { return state_->run(); }

}  // namespace weft::inline v1::process
