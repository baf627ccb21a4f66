// Tables as CSV files: reading what other programs export, writing what spreadsheets may open (table.h), and
// records as rows (columns.h). What a provider's columns mean is nobody's business here. [any thread]
#pragma once

#include "host/csv/columns.h"
#include "host/csv/table.h"
#include "host/csv/text.h"
