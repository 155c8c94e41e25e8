//! The published structure of every manifest's data, reduced to a few recordings.

/// A tree of a dataset and the expected result.
pub struct Loader {
    pub name: &'static str,
    /// Text files: lists, and other files.
    pub texts: &'static [(&'static str, &'static str)],
    /// Valid recordings: path, track, genre, set.
    pub tracks: &'static [(&'static str, &'static str, &'static str, &'static str)],
    /// Recordings that exist but are not used.
    pub others: &'static [&'static str],
    /// Skipped recordings, with reasons.
    pub out: &'static [&'static str],
    /// The split of a spec.
    pub split: &'static str,
}

const SPLIT: &str = "[split.listed]\ncolumn = \"split\"";

/// `tracks.csv` of FMA: a header of two rows, and a third row that names the first column only.
macro_rules! fma {
    ($($row:literal,)+) => {
        concat!(
            ",album,album,artist,artist,set,set,track,track,track\n",
            ",comments,id,id,name,split,subset,genre_top,genres,title\n",
            "track_id,,,,,,,,,\n",
            $($row,)+
        )
    };
}

/// `annotations_final.csv` of MagnaTagATune: a clip, `no vocals` and `rock`, 48 other tags that it lacks, its path.
macro_rules! magnatagatune {
    ($(($id:literal, $path:literal, $quiet:literal, $rock:literal),)+) => {
        concat!(
            "clip_id\tno vocals\trock\tguitar\tclassical\tslow\ttechno\tstrings\tdrums\telectronic\tfast\tpiano\tambient\tbeat\tviolin\tvocal\tsynth\tfemale\tindian\topera\tmale\tsinging\tvocals\tharpsichord\tloud\tquiet\tflute\twoman\tmale vocal\tno vocal\tpop\tsoft\tsitar\tsolo\tman\tclassic\tchoir\tvoice\tnew age\tdance\tmale voice\tfemale vocal\tbeats\tharp\tcello\tno voice\tweird\tcountry\tmetal\tfemale voice\tchoral\tmp3_path\n",
            $($id, "\t", $quiet, "\t", $rock, "\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0", "\t", $path, "\n",)+
        )
    };
}

pub const LOADERS: &[Loader] = &[
    Loader {
        name: "gtzan",
        texts: &[("genres/._jazz.00003.au", "mac"), ("genres/jazz/jazz.00054.wav", "RIFF broken")],
        tracks: &[
            ("genres/blues/blues.00029.wav", "blues.00029", "blues", "train"),
            ("genres/blues/blues.00000.wav", "blues.00000", "blues", "valid"),
            ("genres/jazz/jazz.00061.wav", "jazz.00061", "jazz", "train"),
            ("genres/rock/rock.00010.wav", "rock.00010", "rock", "test"),
            ("genres/rock/rock.00011.wav", "rock.00011", "rock", "test"),
        ],
        others: &[],
        out: &["jazz/jazz.00054.wav: "],
        split: "[split.listed]\ncolumn = \"filtered\"",
    },
    Loader {
        name: "fma-small",
        texts: &[
            (
                "fma_metadata/tracks.csv",
                fma!(
                    "2,0,1,1,AWOL,training,small,Hip-Hop,[21],Food\n",
                    "10,0,6,6,\"Kurt\nVile\",training,small,Pop,[10],\"Freeway, \"\"live\"\"\"\n",
                    "140,0,61,54,Alec K.,validation,small,Folk,[17],Queen Of The Wires\n",
                    "141,0,60,54,Alec K.,test,small,Folk,[17],Ohio\n",
                    "142,0,60,54,Alec K.,test,small,Folk,[17],Punjabi\n",
                    "5,0,1,1,AWOL,training,large,Hip-Hop,[21],This World\n",
                    "133297,0,7,9,X,training,small,Rock,[12],Nothing\n",
                    "98565,0,8,9,X,training,small,Rock,[12],Gone\n",
                    "144,0,8,9,X,training,small,,\"[12, 15]\",Two\n",
                ),
            ),
            ("fma_small/133/133297.mp3", ""),
            ("fma_small/README.txt", "read me"),
        ],
        tracks: &[
            ("fma_small/000/000002.mp3", "000002", "Hip-Hop", "train"),
            ("fma_small/000/000010.mp3", "000010", "Pop", "train"),
            ("fma_small/000/000140.mp3", "000140", "Folk", "valid"),
            ("fma_small/000/000141.mp3", "000141", "Folk", "test"),
            ("fma_small/000/000142.mp3", "000142", "Folk", "test"),
        ],
        others: &["fma_small/000/000005.mp3"],
        out: &[
            "fma_metadata/tracks.csv:13: has no genre",
            "098/098565.mp3: is listed but does not exist",
            "fma_small/133/133297.mp3: ",
        ],
        split: SPLIT,
    },
    Loader {
        name: "fma-medium",
        texts: &[(
            "fma_metadata/tracks.csv",
            fma!(
                "2,0,1,1,AWOL,training,small,Hip-Hop,[21],Food\n",
                "3,0,1,1,AWOL,validation,medium,Hip-Hop,[21],Electric Ave\n",
                "120000,0,1,2,Y,test,medium,Old-Time / Historic,[8],Blue\n",
                "4,0,1,1,AWOL,test,medium,Hip-Hop,[21],More\n",
                "5,0,1,1,AWOL,training,large,Hip-Hop,[21],This World\n",
            ),
        )],
        tracks: &[
            ("fma_medium/000/000002.mp3", "000002", "Hip-Hop", "train"),
            ("fma_medium/000/000003.mp3", "000003", "Hip-Hop", "valid"),
            ("fma_medium/000/000004.mp3", "000004", "Hip-Hop", "test"),
            ("fma_medium/120/120000.mp3", "120000", "Old-Time-Historic", "test"),
        ],
        others: &[],
        out: &[],
        split: SPLIT,
    },
    Loader {
        name: "fma-large",
        texts: &[(
            "fma_metadata/tracks.csv",
            fma!(
                "2,0,1,1,AWOL,training,small,Hip-Hop,[21],Food\n",
                "5,0,1,1,AWOL,test,large,Hip-Hop,[21],This World\n",
                "6,0,1,1,AWOL,test,large,Jazz,[4],That World\n",
                "20,0,4,4,Nicky Cook,training,large,,\"[76, 103]\",Spiritual Level\n",
            ),
        )],
        tracks: &[
            ("fma_large/000/000002.mp3", "000002", "Hip-Hop", "train"),
            ("fma_large/000/000005.mp3", "000005", "Hip-Hop", "test"),
            ("fma_large/000/000006.mp3", "000006", "Jazz", "test"),
        ],
        others: &["fma_large/000/000020.mp3"],
        out: &["fma_metadata/tracks.csv:7: has no genre"],
        split: SPLIT,
    },
    Loader {
        name: "mtg-jamendo",
        texts: &[
            (
                "data/splits/split-0/autotagging_genre-train.tsv",
                concat!(
                    "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n",
                    "track_0000214\tartist_000014\talbum_000031\t14/214.mp3\t124.6\tgenre---punkrock\n",
                    "track_0000215\tartist_000014\talbum_000031\t15/215.mp3\t151.4\tgenre---metal\n",
                    "track_0000382\tartist_000020\talbum_000046\t82/382.mp3\t211.1\tgenre---funk\tgenre---jazz\n",
                    "track_0000387\tartist_000020\talbum_000046\t87/387.mp3\t273.3\tgenre---pop\tgenre---rock\n",
                ),
            ),
            (
                "data/splits/split-0/autotagging_genre-validation.tsv",
                concat!(
                    "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n",
                    "track_0000773\tartist_000104\talbum_000126\t73/773.mp3\t275.3\tgenre---electronic\n",
                ),
            ),
            (
                "data/splits/split-0/autotagging_genre-test.tsv",
                concat!(
                    "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n",
                    "track_0000877\tartist_000087\talbum_000111\t77/877.mp3\t186.9\tgenre---metal\n",
                    "track_0000878\tartist_000087\talbum_000111\t78/878.mp3\t190.0\tgenre---blues\n",
                ),
            ),
        ],
        tracks: &[
            ("raw_30s/audio/15/215.mp3", "track_0000215", "metal", "train"),
            ("raw_30s/audio/73/773.mp3", "track_0000773", "electronic", "valid"),
            ("raw_30s/audio/77/877.mp3", "track_0000877", "metal", "test"),
            ("raw_30s/audio/78/878.mp3", "track_0000878", "blues", "test"),
            ("raw_30s/audio/82/382.mp3", "track_0000382", "jazz", "train"),
        ],
        others: &["raw_30s/audio/14/214.mp3"],
        out: &[
            "data/splits/split-0/autotagging_genre-train.tsv:2: has no genre of this dataset",
            "data/splits/split-0/autotagging_genre-train.tsv:5: has several genres of this dataset",
        ],
        split: SPLIT,
    },
    Loader {
        name: "mtg-jamendo-top50",
        texts: &[
            (
                "data/splits/split-0/autotagging_top50tags-train.tsv",
                concat!(
                    "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n",
                    "track_0000214\tartist_000014\talbum_000031\t14/214.mp3\t124.6\tgenre---rock\tinstrument---drums\n",
                    "track_0000215\tartist_000014\talbum_000031\t15/215.mp3\t151.4\tgenre---rock\n",
                    "track_0000382\tartist_000020\talbum_000046\t82/382.mp3\t211.1\tmood/theme---happy\tgenre---pop\tinstrument---drums\n",
                ),
            ),
            (
                "data/splits/split-0/autotagging_top50tags-validation.tsv",
                concat!(
                    "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n",
                    "track_0000773\tartist_000104\talbum_000126\t73/773.mp3\t275.3\tgenre---pop\n",
                ),
            ),
            (
                "data/splits/split-0/autotagging_top50tags-test.tsv",
                concat!(
                    "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n",
                    "track_0000877\tartist_000087\talbum_000111\t77/877.mp3\t186.9\tgenre---pop\n",
                    "track_0000878\tartist_000087\talbum_000111\t78/878.mp3\t190.0\tgenre---rock\tinstrument---drums\n",
                ),
            ),
        ],
        tracks: &[
            ("raw_30s/audio/14/214.mp3", "track_0000214", "unlabeled", "train"),
            ("raw_30s/audio/15/215.mp3", "track_0000215", "unlabeled", "train"),
            ("raw_30s/audio/73/773.mp3", "track_0000773", "unlabeled", "valid"),
            ("raw_30s/audio/77/877.mp3", "track_0000877", "unlabeled", "test"),
            ("raw_30s/audio/78/878.mp3", "track_0000878", "unlabeled", "test"),
            ("raw_30s/audio/82/382.mp3", "track_0000382", "unlabeled", "train"),
        ],
        others: &[],
        out: &[],
        split: "[target]\ntags = [\"tags\"]\n[split.listed]\ncolumn = \"split\"",
    },
    Loader {
        name: "magnatagatune",
        texts: &[
            (
                "annotations_final.csv",
                magnatagatune!(
                    ("2", "f/bach-01-0-29.mp3", "1", "0"),
                    ("6", "0/bach-01-30-59.mp3", "1", "0"),
                    ("10", "b/rap-02-0-29.mp3", "0", "1"),
                    ("11", "c/rap-02-30-59.mp3", "0", "0"),
                    ("12", "d/rap-03-30-59.mp3", "0", "1"),
                    ("35644", "6/empty.mp3", "0", "1"),
                ),
            ),
            ("6/empty.mp3", ""),
        ],
        tracks: &[
            ("f/bach-01-0-29.mp3", "2", "unlabeled", "test"),
            ("0/bach-01-30-59.mp3", "6", "unlabeled", "train"),
            ("b/rap-02-0-29.mp3", "10", "unlabeled", "train"),
            ("c/rap-02-30-59.mp3", "11", "unlabeled", "valid"),
            ("d/rap-03-30-59.mp3", "12", "unlabeled", "test"),
        ],
        others: &[],
        out: &["6/empty.mp3: "],
        split: "[target]\ntags = [\"no vocals\", \"rock\"]\n[split.listed]\ncolumn = \"split\"",
    },
    Loader {
        name: "ismir04",
        texts: &[
            (
                "metadata/training/tracklist.csv",
                concat!(
                    "\"classical\",\"Orinda\",\"Airs de Cour\",\"Amans\",\"7\",\"classical/orinda/airs_de_cour/7-amans.mp3\"\n",
                    "\"world\",\"Jag\",\"Four Strings\",\"One, Two\",\"1\",\"world/jag/four_strings/1-one.mp3\"\n",
                    "\"world\",\"Jag\",\"Four Strings\",\"Lost\",\"2\",\"world/jag/four_strings/2-jag's.mp3\"\n",
                ),
            ),
            (
                "metadata/development/tracklist.csv",
                "\"classical\",\"artist_1\",\"album_1\",\"track_1\",\"1\",\"track_1.mp3\"\n",
            ),
            (
                "metadata/evaluation/tracklist.csv",
                concat!(
                    "\"rock_pop\",\"Brad\",\"Sides\",\"Bounce\",\"3\",\"rock_pop/brad/sides/3-bounce.mp3\",\"1234\"\n",
                    "\"rock_pop\",\"Brad\",\"Sides\",\"Back\",\"4\",\"rock_pop/brad/sides/4-back.mp3\",\"1235\"\n",
                ),
            ),
        ],
        tracks: &[
            ("audio/development/track_1.mp3", "development.track_1", "classical", "valid"),
            (
                "audio/evaluation/rock_pop/brad/sides/3-bounce.mp3",
                "evaluation.rock_pop.brad.sides.3-bounce",
                "rock_pop",
                "test",
            ),
            (
                "audio/evaluation/rock_pop/brad/sides/4-back.mp3",
                "evaluation.rock_pop.brad.sides.4-back",
                "rock_pop",
                "test",
            ),
            (
                "audio/training/classical/orinda/airs_de_cour/7-amans.mp3",
                "training.classical.orinda.airs_de_cour.7-amans",
                "classical",
                "train",
            ),
            (
                "audio/training/world/jag/four_strings/1-one.mp3",
                "training.world.jag.four_strings.1-one",
                "world",
                "train",
            ),
        ],
        others: &["audio/training/world/jag/four_strings/2-jag_s.mp3"],
        out: &["training/world/jag/four_strings/2-jag's.mp3: is listed but does not exist"],
        split: SPLIT,
    },
    Loader {
        name: "ballroom",
        texts: &[(
            "BallroomData/allBallroomFiles",
            concat!(
                "./ChaChaCha/Albums-Fire-08.wav\n",
                "./Rumba-American/Albums-Latin_Jam-01.wav\n",
                "./Rumba-Misc/Media-103402.wav\n",
                "./Samba/Albums-Fire-09.wav\n",
                "./Waltz/Media-104705.wav\n",
                "./Foxtrot/Media-1.wav\n",
            ),
        )],
        tracks: &[
            ("BallroomData/ChaChaCha/Albums-Fire-08.wav", "Albums-Fire-08", "ChaChaCha", ""),
            (
                "BallroomData/Rumba-American/Albums-Latin_Jam-01.wav",
                "Albums-Latin_Jam-01",
                "Rumba",
                "",
            ),
            ("BallroomData/Rumba-Misc/Media-103402.wav", "Media-103402", "Rumba", ""),
            ("BallroomData/Samba/Albums-Fire-09.wav", "Albums-Fire-09", "Samba", ""),
            ("BallroomData/Waltz/Media-104705.wav", "Media-104705", "Waltz", ""),
        ],
        others: &["BallroomData/Foxtrot/Media-1.wav"],
        out: &[
            "BallroomData/allBallroomFiles:6: has the genre Foxtrot, which is not in this dataset",
        ],
        split: "[split.random]\nby = \"track\"\nstratify = false\ntest = 0.4\nvalid = 0.4",
    },
];
