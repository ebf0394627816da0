from ZODB.FileStorage.FileStorage import FileStorage as FileStorage
