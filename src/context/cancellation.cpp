#include <weft/context/cancellation.hpp>

#include <algorithm>
#include <exception>
#include <mutex>
#include <utility>

#include <weft/context/wait.hpp>

namespace weft::inline v1 {
namespace detail {
namespace {

// One lock for the shape of all cancel trees; see cancel_state.
spin_lock tree_lock;

/// The state of a cancel_scope, with the context node that puts it in force.
class scope_state final : public cancel_node {
 public:
  explicit scope_state(steady_time until) : cancel_node(retain_current(), until) {
    join_tree(task_block::current());
  }

 private:
  void destroy() noexcept override { delete this; }
};

}  // namespace

cancel_state::cancel_state(cancel_state* parent, steady_time until) noexcept
    : deadline_(parent == nullptr ? until : std::min(until, parent->deadline_)), parent_(parent) {
  if (parent != nullptr) parent->retain();
}

void cancel_state::join_tree(task_block& task) noexcept {
  cancel_state* const first = parent_;
  cancel_state* parent = first;
  {
    const std::lock_guard lock(tree_lock);
    task_.store(&task, std::memory_order_relaxed);
    if (parent == nullptr) return;
    mark_.store(parent->mark_in_force(), std::memory_order_relaxed);
    while (parent->finished_ && parent->parent_ != nullptr) parent = parent->parent_;
    if (parent != first) parent->retain();
    link_below(parent);
  }
  if (parent != first) first->release();
}

cancel_state::~cancel_state() {
  if (!finished_) finish();  // what was to run under it could not be made
  if (parent_ != nullptr) parent_->release();
}

// Without recursion: each of a line of ended states may be the last to keep the one above it.
void cancel_state::end_unreferenced() noexcept {
  cancel_state* ended = this;
  do {
    cancel_state* const parent = std::exchange(ended->parent_, nullptr);
    ended->destroy();
    ended = parent;
  } while (ended != nullptr && ended->refs_.fetch_sub(1, std::memory_order_acq_rel) == 1);
}

void cancel_state::link_below(cancel_state* parent) noexcept {
  in_tree_ = true;
  parent_ = parent;
  previous_ = nullptr;
  next_ = parent->first_child_;
  if (next_ != nullptr) next_->previous_ = this;
  parent->first_child_ = this;
}

void cancel_state::unlink() noexcept {
  if (!in_tree_) return;
  in_tree_ = false;
  (previous_ != nullptr ? previous_->next_ : parent_->first_child_) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
}

void cancel_state::cancel(cancel_reason reason) noexcept {
  const std::lock_guard lock(tree_lock);
  if (!finished_) mark_subtree(static_cast<unsigned char>(1 + static_cast<unsigned char>(reason)));
}

// Walks without recursion: a tree may be as deep as a chain of a million fibers. What was marked before
// is not walked again, so that cancelling every one of them takes one walk.
void cancel_state::mark_subtree(unsigned char mark) noexcept {
  cancel_state* at = this;
  for (;;) {
    const bool is_new = at->mark_.load(std::memory_order_relaxed) == 0;
    if (is_new) {
      at->mark_.store(mark, std::memory_order_release);
      if (task_block* const task = at->task_.load(std::memory_order_relaxed)) task->unpark();
    }
    if (is_new && at->first_child_ != nullptr) {
      at = at->first_child_;
      continue;
    }
    while (at != this && at->next_ == nullptr) at = at->parent_;
    if (at == this) return;
    at = at->next_;
  }
}

// What has ended is not marked any more, but what runs in its context still belongs to those around it.
unsigned char cancel_state::mark_in_force() const noexcept {
  const cancel_state* at = this;
  for (;;) {
    const unsigned char mark = at->mark_.load(std::memory_order_acquire);
    if (mark != ended_bit || at->parent_ == nullptr) return mark & static_cast<unsigned char>(~ended_bit);
    at = at->parent_;
  }
}

std::optional<cancel_reason> cancel_state::requested() const noexcept {
  const unsigned char mark = mark_in_force();
  return mark == 0 ? std::nullopt : std::optional(static_cast<cancel_reason>(mark - 1));
}

bool cancel_state::is_below(const cancel_state& above) const noexcept {
  if (this == &above) return true;
  const std::lock_guard lock(tree_lock);
  const cancel_state* at = parent_;
  while (at != nullptr && at != &above) at = at->parent_;
  return at != nullptr;
}

void cancel_state::reset() noexcept {
  const std::lock_guard lock(tree_lock);
  const unsigned char around = parent_ == nullptr ? 0 : parent_->mark_.load(std::memory_order_relaxed);
  mark_.store(around, std::memory_order_release);
}

void cancel_state::finish() noexcept {
  int orphans = 0;
  {
    const std::lock_guard lock(tree_lock);
    finished_ = true;
    task_.store(nullptr, std::memory_order_relaxed);
    unlink();
    while (cancel_state* const child = first_child_) {
      child->unlink();
      if (parent_ != nullptr) {
        parent_->retain();
        child->link_below(parent_);
      } else {
        child->parent_ = nullptr;
        child->next_ = child->previous_ = nullptr;
      }
      ++orphans;
    }
    next_ = previous_ = nullptr;
    mark_.store(mark_.load(std::memory_order_relaxed) | ended_bit, std::memory_order_release);
  }
  for (; orphans > 0; --orphans) release();  // the references that the children held
}

cancel_state* current_cancel_state() noexcept { return cancel_state_of(task_block::current()); }

std::optional<cancel_reason> pending_cancellation() noexcept {
  const cancel_state* const state = current_cancel_state();
  return state == nullptr ? std::nullopt : pending_cancellation(*state);
}

std::optional<cancel_reason> pending_cancellation(const cancel_state& state) noexcept {
  if (state.is_quiet()) return std::nullopt;
  auto reason = state.requested();
  if (!reason && state.deadline() != no_deadline && state.deadline() <= steady_clock::now()) {
    reason = cancel_reason::deadline;
  }
  if (reason && std::uncaught_exceptions() > 0) return std::nullopt;
  return reason;
}

cancel_node::cancel_node(context_node* parent_ref, steady_time until) noexcept
    : cancel_state(parent_ref == nullptr ? nullptr : parent_ref->cancel, until),
      node_(node_kind::embedded, inherited_bindings(parent_ref)) {
  node_.cancel = this;
}

cancel_node::~cancel_node() {
  keep({});
  // Otherwise it was dropped with the last reference to the node, which brought us here.
  if (node_.refs.load(std::memory_order_relaxed) != 0) detail::release(node_.parent);
}

context shielded_current() {
  context_node* const node = make_border(retain_current(), nullptr);
  return context::from_node(divided_as_current(node));
}

void throw_deadline_exceeded(const char* border) {
  throw deadline_exceeded(std::string(border) + ": the work did not finish before its deadline");
}

}  // namespace detail

std::optional<steady_time> deadline() noexcept {
  const detail::cancel_state* const state = detail::current_cancel_state();
  if (state == nullptr || state->deadline() == no_deadline) return std::nullopt;
  return state->deadline();
}

std::optional<steady_clock::duration> remaining() noexcept {
  const auto until = deadline();
  if (!until) return std::nullopt;
  return std::max(*until - steady_clock::now(), steady_clock::duration::zero());
}

std::optional<cancel_reason> cancellation_requested() noexcept { return detail::pending_cancellation(); }

void checkpoint() { detail::check_cancelled("checkpoint"); }

namespace {

bool is_earlier_than_current(steady_time until) {
  const detail::cancel_state* const outer = detail::current_cancel_state();
  return until != no_deadline && (outer == nullptr || until < outer->deadline());
}

}  // namespace

cancel_scope::cancel_scope(steady_time until)
    : bounds_(is_earlier_than_current(until)),
      state_(new detail::scope_state(until)),
      attached_(context::from_node(detail::divided_as_current(state_->as_context().release_node())),
                std::source_location::current(), detail::scope_kind::same_work) {}

cancel_scope::~cancel_scope() { state_->finish(); }

void cancel_scope::cancel(cancel_reason reason) noexcept { state_->cancel(reason); }

bool cancel_scope::is_cancelled() const noexcept { return state_->requested().has_value(); }

void cancel_scope::reset() noexcept { state_->reset(); }

bool cancel_scope::covers_current() const noexcept {
  const detail::cancel_state* const current = detail::current_cancel_state();
  return current != nullptr && current->is_below(*state_);
}

bool cancel_scope::deadline_passed() const noexcept {
  return bounds_ && state_->deadline() <= steady_clock::now();
}

}  // namespace weft::inline v1
