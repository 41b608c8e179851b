#include "common/base/format_once.h"

#ifdef RELAB_FORMATTER
RELAB_FORMATTER;
#endif
