#include "hook/hosts.hpp"

#include <pthread.h>

namespace weft::inline v1::hook {
namespace {

// A key and no thread_local: what is kept is freed with its thread, and without a C++ runtime.
constinit pthread_once_t key_once = PTHREAD_ONCE_INIT;
constinit pthread_key_t key = 0;
constinit bool has_key = false;

void make_key() noexcept { has_key = pthread_key_create(&key, &std::free) == 0; }

}  // namespace

host_room* host_room::make(std::size_t text_bytes) noexcept {
  auto* const made = static_cast<host_room*>(std::malloc(sizeof(host_room) + text_bytes));
  if (made != nullptr) made->text_bytes = text_bytes;
  return made;
}

hostent* keep_for_thread(host_room* room) noexcept {
  const errno_before before;
  pthread_once(&key_once, &make_key);
  void* const former = has_key ? pthread_getspecific(key) : nullptr;
  if (!has_key || pthread_setspecific(key, room) != 0) {
    std::free(room);
    errno = ENOMEM;
    h_errno = NETDB_INTERNAL;
    return nullptr;
  }
  std::free(former);
  before.keep(0);
  return &room->entry;
}

}  // namespace weft::inline v1::hook
