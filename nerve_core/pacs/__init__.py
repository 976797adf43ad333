"""Images from and to a hospital's archive (PACS): DIMSE, DICOMweb, a receiving port and a watched folder."""
