#pragma once

#include <chrono>
#include <cstdint>

#include <weft/fiber/event.hpp>

namespace weft::inline v1::http::detail {

/// Looks after the clients of requests that are being served: one that has gone needs no answer any more.
///
/// Short requests cost two changes of a list. Those that last for more than one or two rounds are looked at
/// together, by a poll that does not wait, every 100 ms; without requests nobody wakes up. One thread.
class client_watch {
 public:
  struct place {
    place* before = this;
    place* behind = this;
  };
  /// A request that is being served; in the list from its construction to its end.
  class watched : public place {
   public:
    watched(const watched&) = delete;
    watched& operator=(const watched&) = delete;
    /// The socket; negative while there is none to look at.
    virtual int socket() const noexcept = 0;
    /// Has it closed its side, with nothing that it sent before lying unread? That may be a next request, and
    /// the client has said goodbye behind it.
    virtual bool has_ended() noexcept = 0;
    virtual void client_left() noexcept = 0;
    /// The round in which it came.
    std::uint64_t since() const noexcept { return since_; }

   protected:
    explicit watched(client_watch& by) noexcept;
    ~watched();

   private:
    std::uint64_t since_;
  };

  client_watch() noexcept = default;
  /// Until it is cancelled.
  void run();

 private:
  void look() const;

  static constexpr std::chrono::milliseconds round{100};
  place all_;                 // the oldest behind it
  std::uint64_t rounds_ = 1;  // that began
  bool sleeps_ = true;
  event wanted_;
};

}  // namespace weft::inline v1::http::detail
