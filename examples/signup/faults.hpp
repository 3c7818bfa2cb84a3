#pragma once

#include <cstdint>

namespace signup {

/// What goes wrong with an attempt at a mail.
enum class fault : unsigned char { none, error, time_out, crash };

/// A seeded rule: of the first attempts `percent` of 100 fail, in one of three ways; later ones never.
/// The same seed, job and attempt always give the same answer.
fault fault_of(std::uint64_t seed, unsigned percent, std::int64_t job, int attempt) noexcept;

}  // namespace signup
