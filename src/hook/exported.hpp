#pragma once

/// Everything else in the library is hidden.
#define WEFT_EXPORTED [[gnu::visibility("default")]]
