# What nearly every file includes, read once for each target: the schema's and the libraries' headers take
# three quarters of the time of a file. Files still include what they use: the preset `tidy` goes without
# (CMAKE_DISABLE_PRECOMPILE_HEADERS).

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # For ccache, which must see what was read into it.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
endif()

# relab_precompile(TARGET [HEADER...]): the common ones, and those.
function(relab_precompile target)
  target_precompile_headers(${target} PRIVATE
    <algorithm> <chrono> <filesystem> <functional> <map> <memory> <optional> <set> <span> <string>
    <string_view> <variant> <vector>
    "$<$<BOOL:${RELAB_PORTABLE}>:${CMAKE_SOURCE_DIR}/common/base/format_once.h>"
    <capnp/dynamic.h> <capnp/message.h> <capnp/serialize.h> <fmt/format.h> <tl/expected.hpp>
    <schema/lab.capnp.h> <schema/ledger.capnp.h> <schema/task.capnp.h> <schema/wire.capnp.h> ${ARGN})
endfunction()

# Those of another target, which has the same options: reading them takes a quarter of a minute.
function(relab_precompiled_like target other)
  target_precompile_headers(${target} REUSE_FROM ${other})
endfunction()
