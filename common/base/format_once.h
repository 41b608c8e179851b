#pragma once

/// Where fmt is used as headers only, every file that formats compiles the whole formatter for
/// itself, which is half of the time of an optimised build: with this it is compiled once, in
/// format_once.cpp. The precompiled header has it; a file without it compiles as well, only longer.

#include <fmt/format.h>

// https://fmt.dev/9.1.0/api.html: of a later major version, nobody has looked yet whether it has
// the same one.
#if defined(FMT_HEADER_ONLY) && FMT_VERSION < 110000
#define RELAB_FORMATTER                                                                     \
  template void fmt::detail::vformat_to<char>(fmt::detail::buffer<char>&, fmt::string_view, \
                                              fmt::format_args, fmt::detail::locale_ref)
extern RELAB_FORMATTER;
#endif
