#pragma once

// All of the component: what can be encoded, and how to describe a type.
#include <weft/codec/chrono.hpp>
#include <weft/codec/container.hpp>
#include <weft/codec/describe.hpp>
#include <weft/codec/failure.hpp>
#include <weft/codec/tuple.hpp>
#include <weft/codec/value.hpp>
