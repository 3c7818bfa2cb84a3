#include <weft/fiber/from_fd.hpp>

#include <weft/executor/blocking.hpp>
#include <weft/executor/executor.hpp>

namespace weft::inline v1 {

future<io_events> from_fd(int fd, io_events wanted) {
  const auto wait = [fd, wanted] { return wait_event(fd, wanted); };
  const executor here = current_executor();
  return here.core()->suspends_waits() ? here.submit(wait) : start_blocking(wait);
}

}  // namespace weft::inline v1
