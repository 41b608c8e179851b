# Warnings and sanitizers for our own targets; never for generated code.

add_library(relab_warnings INTERFACE)
target_compile_options(relab_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wcast-qual -Wformat=2 -Wundef -Wmissing-declarations -Wextra-semi
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wduplicated-branches -Wlogical-op>
  $<$<CXX_COMPILER_ID:Clang>:-Wunreachable-code-aggressive>
  $<$<BOOL:${RELAB_WERROR}>:-Werror>)
target_compile_definitions(relab_warnings INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)

# A null pointer that is followed ends the program with any sanitizer; looking for it at each step is a tenth of the build.
if(RELAB_SANITIZE)
  add_compile_options(-fsanitize=${RELAB_SANITIZE} -fno-sanitize=null -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${RELAB_SANITIZE})
  add_compile_definitions(RELAB_SANITIZED)
endif()

# Coverage for the fuzzers, of what they look into; main() comes with their own link option. That is what
# -fsanitize=fuzzer-no-link means, but this goes along with a precompiled header that has none of it.
function(relab_fuzzed)
  if(RELAB_FUZZ)
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS
      -fsanitize-coverage=inline-8bit-counters,indirect-calls,trace-cmp,pc-table)
  endif()
endfunction()
