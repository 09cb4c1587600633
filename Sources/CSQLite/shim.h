// The wall around SQLite, of which JointLab reads one table at a time.
#ifndef JOINTLAB_CSQLITE_SHIM_H
#define JOINTLAB_CSQLITE_SHIM_H

#include <sqlite3.h>

// Functions that Swift does not import. The schema of a file may call nothing that has side effects.
static inline int jl_distrust_schema(sqlite3 *database) {
    int result = sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
    if (result != SQLITE_OK) return result;
    return sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)0);
}

// SQLite copies the text before the call returns.
static inline int jl_bind_text(sqlite3_stmt *statement, int index, const char *text, int bytes) {
    return sqlite3_bind_text(statement, index, text, bytes, SQLITE_TRANSIENT);
}

#endif
